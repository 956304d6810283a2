from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.codec import library, toc
from voiceroom_mixer.codec.base import CodecError


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"\xf8\xff\xfe", 960),
        (b"\xf0\xff\xfe", 480),
        (b"\xf9\xff\xfe\xff\xfe", 1_920),
        (b"\x18\x00", 2_880),
        (b"\x1b\x02\x00\x00", 5_760),
        (b"\xe0", 120),
    ],
)
def test_duration(payload: bytes, samples: int) -> None:
    assert toc.packet_samples(payload) == samples


@pytest.mark.parametrize("payload", [b"", b"\xfb", b"\xfb\x00", b"\xfb\x3f", b"\x1b\x03"])
def test_an_impossible_packet_is_an_error(payload: bytes) -> None:
    with pytest.raises(CodecError):
        toc.packet_samples(payload)


@given(st.binary(max_size=80))
def test_duration_agrees_with_libopus(payload: bytes) -> None:
    opus = ctypes.CDLL(library.load().path)
    theirs = opus.opus_packet_get_nb_samples(payload, len(payload), 48_000)
    try:
        ours = toc.packet_samples(payload)
    except CodecError:
        ours = 0
    assert ours == max(theirs, 0)


@given(st.binary(min_size=1, max_size=80))
def test_lbrr_agrees_with_libopus(payload: bytes) -> None:
    paths = library.bundled_paths()
    if not paths:
        pytest.skip("needs libopus 1.5 or later")
    opus = ctypes.CDLL(paths[0])
    if opus.opus_packet_parse(payload, len(payload), None, None, (ctypes.c_int16 * 48)(), None) < 0:
        toc.has_lbrr(payload)
        return
    theirs = opus.opus_packet_has_lbrr(payload, len(payload))
    assert toc.has_lbrr(payload) == (theirs > 0)


def test_bandwidth_names_what_is_heard() -> None:
    configs = {0: 4_000, 7: 6_000, 11: 8_000, 12: 12_000, 15: 20_000, 16: 4_000, 20: 8_000}
    configs |= {27: 12_000, 31: 20_000}
    for config, hertz in configs.items():
        assert toc.bandwidth(bytes([config << 3])) == hertz
