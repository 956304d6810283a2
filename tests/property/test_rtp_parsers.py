"""Bytes from outside: every parser answers with a value or ``ValueError``, and nothing else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from voiceroom_mixer.core.rtp import packet as rtp
from voiceroom_mixer.core.rtp import rtcp, xr

VECTORS = Path(__file__).parents[1] / "vectors"
U32 = st.integers(0, 0xFFFF_FFFF)
U16 = st.integers(0, 0xFFFF)
U8 = st.integers(0, 0xFF)

mutated = st.builds(
    lambda raw, at, value, keep: (raw[: at % (len(raw) + 1)] + bytes((value,)) + raw[at + 1 :])[
        :keep
    ],
    st.sampled_from([path.read_bytes() for path in sorted(VECTORS.glob("rt*.bin"))]),
    st.integers(0, 80),
    U8,
    st.integers(0, 120),
)
datagrams = st.one_of(st.binary(max_size=200), mutated)


@given(datagrams)
@example(b"")
def test_rtp_parsing_raises_nothing_but_value_error(data: bytes) -> None:
    try:
        packet = rtp.parse(data)
    except ValueError:
        return
    assert rtp.parse(rtp.build(packet)) == packet


@given(datagrams, st.integers(0, 60), st.integers(0, 200), st.integers(1, 255))
def test_level_parsing_raises_nothing_at_all(data: bytes, start: int, end: int, ident: int) -> None:
    level, voice = rtp.parse_level(memoryview(data), start, min(end, len(data)), ident)
    assert -1 <= level <= 127
    assert voice in (True, False)


@given(datagrams)
def test_rtcp_parsing_raises_nothing_but_value_error(data: bytes) -> None:
    try:
        packets = rtcp.parse_compound(data)
    except ValueError:
        return
    assert rtcp.parse_compound(rtcp.build_compound(packets)) == packets if packets else True


@given(st.binary(max_size=120))
def test_xr_parsing_raises_nothing_but_value_error(data: bytes) -> None:
    try:
        blocks = xr.parse_blocks(data)
    except ValueError:
        return
    assert xr.parse_blocks(xr.build_blocks(blocks)) == blocks


@given(
    st.builds(
        rtp.RtpPacket,
        payload_type=st.integers(0, 127),
        sequence=U16,
        timestamp=U32,
        ssrc=U32,
        payload=st.binary(max_size=64),
        marker=st.booleans(),
        csrc=st.lists(U32, max_size=15).map(tuple),
        extensions=st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=40)), max_size=5).map(
            tuple
        ),
        padding=U8,
    )
)
def test_rtp_packets_come_back_as_they_were(packet: rtp.RtpPacket) -> None:
    assert rtp.parse(rtp.build(packet)) == packet


report_blocks = st.builds(
    rtcp.ReportBlock, U32, U8, st.integers(-(1 << 23), (1 << 23) - 1), U32, U32, U32, U32
)
reports = st.lists(report_blocks, max_size=31).map(tuple)


@given(
    st.lists(
        st.one_of(
            st.builds(
                rtcp.SenderReport, U32, st.integers(0, (1 << 64) - 1), U32, U32, U32, reports
            ),
            st.builds(rtcp.ReceiverReport, U32, reports),
            st.builds(rtcp.Bye, st.lists(U32, max_size=31).map(tuple), st.binary(max_size=255)),
            st.builds(
                rtcp.SourceDescription,
                st.lists(
                    st.builds(
                        rtcp.SdesChunk,
                        U32,
                        st.lists(
                            st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=4
                        ).map(tuple),
                    ),
                    max_size=4,
                ).map(tuple),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_rtcp_compounds_come_back_as_they_were(packets: list[rtcp.RtcpPacket]) -> None:
    assert rtcp.parse_compound(rtcp.build_compound(packets)) == packets
