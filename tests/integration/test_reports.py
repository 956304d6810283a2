"""RTCP and levels on the wire, read by parsers that are not ours where there are any."""

from __future__ import annotations

import struct
import time

from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket

from harness.listening import until, until_heard
from harness.party import Party
from harness.rtp import RtpLeg
from harness.webrtc import MIX_LEVEL_ID, TIMES_ID, WebRtcLeg
from voiceroom_mixer.core.rtp import rtcp, xr
from voiceroom_mixer.core.rtp.reporting import ntp_from_wall

TONE_DBOV = 15
"""A sine that peaks at -12 dBFS."""


def _parts(leg: RtpLeg) -> list[object]:
    return [part for data in leg.reports for part in RtcpPacket.parse(data)]


def test_a_leg_gets_sender_reports_with_its_own_reception(room: Party) -> None:
    web, _ = room.dial(440.0, "web"), room.join(1_100.0, "gateway")
    until(lambda: any(isinstance(p, RtcpSrPacket) for p in _parts(web)), what="no SR")
    report = next(p for p in _parts(web) if isinstance(p, RtcpSrPacket))
    assert report.ssrc == web.heard[0].ssrc
    assert report.sender_info.packet_count > 0
    (block,) = report.reports
    assert block.ssrc == web.ssrc
    assert block.packets_lost == 0
    assert 65_500 <= block.highest_sequence <= web.seq
    (names,) = [p for p in _parts(web)[:2] if isinstance(p, RtcpSdesPacket)]
    assert names.chunks[0].ssrc == report.ssrc


def test_the_statistics_of_rfc_3611_are_sent(room: Party) -> None:
    web = room.dial(440.0, "web")
    until(lambda: bool(_extended(web)), what="no XR")
    metrics = next(b for b in _extended(web)[0].blocks if isinstance(b, xr.VoipMetrics))
    assert metrics.ssrc == web.ssrc
    assert metrics.buffer_max_ms == 200


def _extended(leg: RtpLeg) -> list[xr.ExtendedReport]:
    parts = [part for data in leg.reports for part in rtcp.parse_compound(data)]
    return [part for part in parts if isinstance(part, xr.ExtendedReport)]


def test_a_round_trip_is_measured_from_what_the_peer_quotes(room: Party) -> None:
    web, _ = room.dial(440.0, "web"), room.join(1_100.0, "gateway")
    until(lambda: any(isinstance(p, RtcpSrPacket) for p in _parts(web)), what="no SR")
    report = next(p for p in _parts(web) if isinstance(p, RtcpSrPacket))
    quoted = (report.sender_info.ntp_timestamp >> 16) & 0xFFFF_FFFF
    web.put_report(_receiver_report(web.ssrc, report.ssrc, quoted, lost=64))
    until(lambda: room.participant(web.id)["rttMs"] > 0, what="no round trip")
    assert room.participant(web.id)["rttMs"] < 10_000


def test_delay_is_told_apart_to_those_who_ask_for_it(room: Party) -> None:
    """From a sender that stamps its packets, by a real mixer, to a listener that asks."""
    web, ear = room.dial(440.0, "web", stamps=True), room.dial(None, "ear", stamps=True)
    told: list[tuple[int, ...]] = []

    def known() -> bool:
        web.put_report(rtcp.build_compound([_sender_report(web.ssrc)]))
        told.extend(_times(packet.extension) for packet in ear.heard[-1:] if packet.csrcs)
        return bool(told) and told[-1][1] != UNKNOWN

    until(known, what="no origin told")
    sent, *parts = told[-1]
    now = ntp_from_wall(time.time_ns()) >> 16
    assert (now - sent) % (1 << 32) < 5 << 16, "it was encoded within the last five seconds"
    assert 0 < sum(parts) < 1 << 16, "and captured less than a second before"
    metrics = room.mixer.metrics()
    for part in ("origin", "network", "buffer", "mix", "encode"):
        assert metrics[f'voiceroom_delay_seconds_count{{part="{part}"}}'] > 0, part


UNKNOWN = 0xFFFF


def _times(block: bytes) -> tuple[int, ...]:
    """mix-times of a block that begins with the levels of its one contributor."""
    assert block[:1] == bytes((MIX_LEVEL_ID << 4,))
    assert block[2:3] == bytes((TIMES_ID << 4 | 11,))
    return struct.unpack("!IHHHH", block[3:15])


def _sender_report(ssrc: int) -> rtcp.SenderReport:
    return rtcp.SenderReport(ssrc, ntp_from_wall(time.time_ns()), 0, 0, 0)


def _receiver_report(ssrc: int, about: int, quoted: int, lost: int) -> bytes:
    block = struct.pack("!IIIIII", about, lost << 24, 0, 0, quoted, 0)
    return struct.pack("!BBHI", 0x81, 201, 7, ssrc) + block


def test_a_gateway_that_only_listens_gets_receiver_reports_too(room: Party) -> None:
    gateway = room.join(None, "gateway")
    kinds = (RtcpRrPacket, RtcpSrPacket)
    until(lambda: any(isinstance(p, kinds) for p in _parts(gateway)), what="no report")


def test_levels_that_senders_tell_are_shown_and_passed_on(room: Party) -> None:
    web = room.dial(440.0, "web", levels=True)
    ear = room.dial(None, "ear")
    until_heard(ear, 440.0)
    ear.wait(lambda heard: bool(heard[-1].csrcs), 10)
    packet = next(p for p in reversed(ear.heard) if p.csrcs)
    assert packet.csrcs == (web.ssrc,)
    assert packet.extension[0] == MIX_LEVEL_ID << 4
    assert abs(packet.extension[1] - TONE_DBOV) <= 1, "as it is heard, not as it was told"
    until(lambda: room.participant(web.id)["levelDbov"] == -web.level, what="level not shown")


def test_who_did_not_offer_levels_gets_none(room: Party) -> None:
    room.dial(440.0, "web", levels=True)
    gateway = room.join(None, "gateway")
    until_heard(gateway, 440.0)
    assert not any(p.csrcs or p.extension for p in gateway.heard)
    assert isinstance(room.legs[0], WebRtcLeg)
