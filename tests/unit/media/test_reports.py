"""RTCP as it comes and goes."""

from __future__ import annotations

import socket
import struct

import pytest

from fakes.mansion import Mansion, path, rtp_leg, web_leg
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.rtp import rtcp

PEER = 77


def about(ssrc: int, fraction: int) -> bytes:
    """A receiver report with one block."""
    block = struct.pack("!IIIIII", ssrc, fraction << 24, 0, 0, 0, 0)
    return struct.pack("!BBHI", 0x81, 201, 7, PEER) + block


def test_loss_that_the_peer_reports_steers_the_encoder_gently(mansion: Mansion) -> None:
    leg = mansion.put(rtp_leg())
    for fraction in (64, 64, 0):
        mansion.reports.received(leg, about(leg.state.ssrc, fraction), mansion.now_ns)
    assert mansion.losses == [125_000, 187_500, 93_750]


def test_what_is_said_of_other_streams_is_ignored(mansion: Mansion) -> None:
    leg = mansion.put(rtp_leg())
    mansion.reports.received(leg, about(4_711, 200), mansion.now_ns)
    assert mansion.losses == []


@pytest.mark.parametrize("packet", [b"", b"\x81\xc9\0\7" + bytes(4), b"\xff" * 20])
def test_malformed_reports_are_counted(mansion: Mansion, packet: bytes) -> None:
    leg = mansion.put(rtp_leg())
    mansion.reports.received(leg, packet, mansion.now_ns)
    assert mansion.counted("drop_rtcp_malformed") == 1


def test_each_leg_gets_a_report_every_five_seconds(mansion: Mansion, peer: socket.socket) -> None:
    mansion.put(rtp_leg(0, peer.getsockname()[1]))
    for _ in range(200):
        mansion.now_ns += NS_PER_S // 10
        mansion.reports.send(mansion.now_ns, mansion.now_ns)
    assert mansion.counted("rtcp_tx") == 4
    parts = rtcp.parse_compound(peer.recv(1_500))
    assert isinstance(parts[0], rtcp.ReceiverReport)


def test_who_leaves_is_told_goodbye_once(mansion: Mansion, peer: socket.socket) -> None:
    leg = mansion.put(rtp_leg(0, peer.getsockname()[1]))
    mansion.take_out(0)
    parts = rtcp.parse_compound(peer.recv(1_500))
    assert rtcp.Bye((leg.state.ssrc,)) in parts
    mansion.reports.goodbye(leg)
    assert mansion.counted("rtcp_tx") == 1


def test_no_goodbye_before_the_leg_was_connected(mansion: Mansion) -> None:
    leg = mansion.put(web_leg(srtp=None))
    mansion.house.select(leg, path(6_001))
    mansion.take_out(0)
    assert mansion.counted("rtcp_tx") == 0
