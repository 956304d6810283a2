"""The certificate outlives control, in memory only."""

from __future__ import annotations

import pytest

from fakes.media import FakeMedia
from voiceroom_mixer.control.signalling.certificate import Certificate, kept


def test_a_restarted_control_shows_the_same_fingerprint() -> None:
    media = FakeMedia()
    first = kept(media.link().segment.tables["control"])
    again = kept(media.link().segment.tables["control"])
    assert again.fingerprints() == first.fingerprints()
    assert [name for name, _ in again.fingerprints()] == ["sha-256"]
    media.close()


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        Certificate.from_pem(b"-----BEGIN NOTHING-----")
