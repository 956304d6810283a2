"""RTP headers and header extensions: what is built is parsed, what is broken is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceroom_mixer.core.rtp.packet import (
    NO_LEVEL,
    RtpPacket,
    build,
    build_extensions,
    parse,
    parse_level,
)

VECTORS = Path(__file__).parents[2] / "vectors"


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.bin").read_bytes()


def test_a_plain_packet() -> None:
    packet = parse(vector("rtp_plain"))
    assert packet == RtpPacket(111, 0x1234, 0x89AB_CDEF, 0xDEAD_BEEF, b"voice", marker=True)


def test_csrc_extensions_and_padding() -> None:
    packet = parse(vector("rtp_csrc_extensions_padding"))
    assert packet.csrc == (1, 2)
    assert packet.extensions == ((1, b"\x94"), (3, b"mid0"))
    assert (packet.payload, packet.padding) == (b"voice", 3)


def test_two_byte_extensions() -> None:
    packet = parse(vector("rtp_two_byte_extensions"))
    assert packet.extensions == ((1, b"\x94"), (200, b""), (15, b"abc"))


def test_id_15_ends_the_one_byte_list() -> None:
    assert parse(vector("rtp_one_byte_stop")).extensions == ((1, b"\x7f"),)


def test_an_unknown_profile_is_stepped_over() -> None:
    packet = parse(vector("rtp_unknown_profile"))
    assert packet.extensions == ()
    assert packet.payload == b"voice"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rtp_truncated_header", "at least 12"),
        ("rtp_version_1", "version is 1"),
        ("rtp_truncated_csrc", "CSRC"),
        ("rtp_truncated_extension_header", "extension header"),
        ("rtp_truncated_extensions", "within its header extensions"),
        ("rtp_extension_overruns_block", "extension 2 ends behind"),
        ("rtp_two_byte_overruns_block", "extension 7 ends behind"),
        ("rtp_padding_zero", "padding of 0"),
        ("rtp_padding_too_long", "padding of 200"),
    ],
)
def test_malformed_packets_say_what_is_wrong(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(vector(name))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("payload_type", 128),
        ("sequence", 65_536),
        ("timestamp", -1),
        ("ssrc", 1 << 32),
        ("csrc", tuple(range(16))),
        ("padding", 256),
        ("extensions", ((0, b"x"),)),
        ("extensions", ((300, b"x"),)),
    ],
)
def test_what_does_not_fit_is_refused_by_name(field: str, value: object) -> None:
    values = {"payload_type": 0, "sequence": 0, "timestamp": 0, "ssrc": 0, "payload": b""}
    with pytest.raises(ValueError, match="csrc count" if field == "csrc" else field[:9]):
        build(RtpPacket(**(values | {field: value})))  # type: ignore[arg-type]


def level(extensions: tuple[tuple[int, bytes], ...], ident: int = 1) -> tuple[int, bool]:
    block = build_extensions(extensions)
    return parse_level(b"head" + block + b"payload", 4, len(block) + 11, ident)


def test_levels_are_found_wherever_they_stand() -> None:
    assert level(((1, b"\x94"),)) == (20, True)
    assert level(((3, b"mid0"), (1, b"\x14"))) == (20, False)
    assert level(((3, b""), (1, b"\xff"))) == (127, True)
    assert level(((3, b"mid0"),)) == NO_LEVEL
    assert level(()) == NO_LEVEL


def test_a_level_is_never_worth_an_exception() -> None:
    for data in (vector("rtp_extension_overruns_block"), vector("rtp_truncated_extensions")):
        for ident in range(1, 15):
            for end in range(12, len(data) + 1):
                assert parse_level(memoryview(data)[:end], 12, end, ident)[0] in range(-1, 128)
