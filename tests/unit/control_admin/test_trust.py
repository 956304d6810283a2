"""TLS of the pool: what may be used, and what happens while its files are exchanged."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from voiceroom_mixer.config import AdminTls, ConfigError
from voiceroom_mixer.control.admin.trust import Trust
from voiceroom_operator.keys.certificates import Pair, new_ca, new_certificate

NAME = "mixer.default.voice"
NOW_S = 1_800_000_000.0


class Files:
    """The three files."""

    def __init__(self, folder: Path) -> None:
        self.tls = AdminTls(*(str(folder / name) for name in ("tls.crt", "tls.key", "ca.crt")))
        self.ca = new_ca("test", NOW_S)
        self.pair = self.issue()
        self.write()

    def issue(self) -> Pair:
        """Another certificate of the same CA."""
        return new_certificate(self.ca, NAME, NOW_S)

    def write(self, **parts: bytes) -> None:
        """All, or some."""
        parts = parts or {"cert": self.pair.cert, "key": self.pair.key, "ca": self.ca.cert}
        for part, raw in parts.items():
            Path(getattr(self.tls, part)).write_bytes(raw)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_both_sides_want_tls_1_3_and_a_certificate(files: Files) -> None:
    trust = Trust(files.tls, NAME)
    for context in (trust.server, trust.client()):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_3
        assert context.verify_mode == ssl.CERT_REQUIRED
    assert trust.client().check_hostname


@pytest.mark.parametrize("part", ["cert", "key", "ca"])
def test_what_cannot_be_used_is_said_at_the_start(files: Files, part: str) -> None:
    files.write(**{part: b"nothing"})
    with pytest.raises(ConfigError, match="cannot be used for --admin"):
        Trust(files.tls, NAME)


def test_a_change_is_taken_up_once(files: Files) -> None:
    trust = Trust(files.tls, NAME)
    before = trust.client()
    trust.look()
    assert trust.client() is before
    files.pair = files.issue()
    files.write()
    trust.look()
    assert trust.client() is not before
    trust.look()
    assert (trust.reloads, trust.failures) == (1, 0)


def test_half_a_change_leaves_the_old_in_force(files: Files) -> None:
    trust = Trust(files.tls, NAME)
    before = trust.client()
    fresh = files.issue()
    files.write(cert=fresh.cert)
    for _ in range(3):
        trust.look()
    assert trust.client() is before
    assert (trust.reloads, trust.failures) == (0, 1), "said once, not every second"
    files.write(key=fresh.key)
    trust.look()
    assert trust.client() is not before
    assert trust.reloads == 1


def test_a_file_that_is_gone_for_a_moment_is_no_end(files: Files) -> None:
    trust = Trust(files.tls, NAME)
    Path(files.tls.ca).unlink()
    trust.look()
    assert trust.failures == 1
    files.write()
    trust.look()
    assert trust.reloads == 1
