"""RTCP and XR: fixed vectors, round trips, malformed compounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceroom_mixer.core.rtp.rtcp import (
    Bye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SdesChunk,
    SenderReport,
    SourceDescription,
    build_compound,
    cname,
    parse_compound,
)
from voiceroom_mixer.core.rtp.xr import (
    DelayBlock,
    Dlrr,
    ExtendedReport,
    ReferenceTime,
    StatisticsSummary,
    VoipMetrics,
)

VECTORS = Path(__file__).parents[2] / "vectors"
BLOCK = ReportBlock(0x2222_2222, 64, -2, 0x1_0005, 480, 0x8000, 65_536)
SENDER = SenderReport(0x1111_1111, 0xE000_0000_8000_0000, 48_000, 50, 6_000, (BLOCK,))


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.bin").read_bytes()


def test_a_sender_report_with_its_name() -> None:
    packets = parse_compound(vector("rtcp_sr_sdes"))
    assert packets == [SENDER, cname(0x1111_1111, "leg-1")]
    assert build_compound(packets) == vector("rtcp_sr_sdes")


def test_unknown_kinds_are_stepped_over() -> None:
    packets = parse_compound(vector("rtcp_rr_unknown_bye"))
    assert packets == [ReceiverReport(5), Bye((5,), b"end")]


def test_padding_of_the_last_packet_is_taken_off() -> None:
    assert parse_compound(vector("rtcp_padded")) == [ReceiverReport(5), Bye((5,))]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rtcp_empty", "empty"),
        ("rtcp_truncated_header", "within its header"),
        ("rtcp_length_beyond_end", "type 201 is truncated"),
        ("rtcp_version_0", "version is 0"),
        ("rtcp_count_beyond_body", "type 201 is truncated"),
        ("rtcp_sdes_no_end", "no end"),
        ("rtcp_sdes_item_overruns", "item is truncated"),
        ("rtcp_bye_reason_overruns", "reason is truncated"),
        ("rtcp_padding_inside", "last packet"),
        ("rtcp_xr_truncated", "block of type 4 is truncated"),
        ("rtcp_xr_wrong_length", "block of type 4 has a wrong length"),
    ],
)
def test_malformed_compounds_say_what_is_wrong(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_compound(vector(name))


EVERYTHING: list[RtcpPacket] = [
    SENDER,
    ReceiverReport(7, (BLOCK, BLOCK)),
    SourceDescription((SdesChunk(7, ((1, b"a"), (2, b"name"))), SdesChunk(8, ()))),
    ExtendedReport(
        7,
        (
            ReferenceTime(1 << 63),
            Dlrr((DelayBlock(1, 2, 3), DelayBlock(4, 5, 6))),
            StatisticsSummary(9, 10, 500, 3, 1, 2, 960, 31, 12),
            VoipMetrics(9, loss_rate=3, discard_rate=1, round_trip_ms=40, buffer_max_ms=200),
        ),
    ),
    Bye((7, 8), b"room closed"),
]


def test_all_packets_of_ours_come_back_as_they_were() -> None:
    assert parse_compound(build_compound(EVERYTHING)) == EVERYTHING


def test_a_voip_block_has_the_length_of_the_rfc() -> None:
    raw = build_compound([ExtendedReport(7, (VoipMetrics(9, loss_rate=3, discard_rate=1),))])
    assert len(raw) == 8 + 36
    assert raw[8:12] == bytes((7, 0, 0, 8))


@pytest.mark.parametrize(
    "packet",
    [
        SenderReport(1 << 32, 0, 0, 0, 0),
        ReceiverReport(1, (ReportBlock(1, 256, 0, 0, 0, 0, 0),)),
        ReceiverReport(1, (ReportBlock(1, 0, 1 << 23, 0, 0, 0, 0),)),
        ReceiverReport(1, (BLOCK,) * 32),
    ],
)
def test_numbers_that_do_not_fit_are_refused(packet: RtcpPacket) -> None:
    with pytest.raises(ValueError, match="RTCP"):
        build_compound([packet])
