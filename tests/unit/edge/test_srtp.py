"""SRTP that goes on after its process was killed: RFC 3711 indexes, never twice, never lost."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from pylibsrtp import Policy, Session

from voiceroom_mixer.edge import srtp
from voiceroom_mixer.edge.srtp import RowPointers, SrtpError, SrtpReceiver, SrtpSender

PROFILE = Policy.SRTP_PROFILE_AES128_CM_SHA1_80
KEY = bytes(range(30))
SSRC = 0x1234_5678
ROW = 256


def _packet(seq: int) -> bytes:
    return struct.pack("!BBHLL", 0x80, 111, seq & 0xFFFF, seq * 960 & 0xFFFF_FFFF, SSRC) + b"x" * 60


class Slab:
    """One row in which libsrtp works in place."""

    def __init__(self) -> None:
        self.data = np.zeros((1, ROW), np.uint8)
        self.pointers = RowPointers(self.data.ctypes.data, 1, ROW)

    def run(self, function: Any, context: Any, packet: bytes) -> tuple[int, bytes]:
        self.data[0, : len(packet)] = np.frombuffer(packet, np.uint8)
        self.pointers.lengths[0] = len(packet)
        status = function(context, self.pointers.rows[0], self.pointers.length_pointers[0])
        return status, self.data[0, : self.pointers.lengths[0]].tobytes()


def _peer() -> Session:
    return Session(policy=_policy())


def _policy() -> Policy:
    policy = Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE)
    policy.window_size = 1024
    return policy


def test_a_sender_that_begins_at_the_bound_is_heard_by_the_same_peer() -> None:
    peer, slab = _peer(), Slab()
    for start in (20_000, 50_000, 65_500, 65_564, 90_000):
        sender = SrtpSender(PROFILE, KEY, SSRC, start, 0)
        for i in range(start, start + 60):
            status, sealed = slab.run(srtp.protect, sender.context, _packet(i))
            assert status == srtp.OK
            assert peer.unprotect(sealed) == _packet(i)


def test_srtcp_goes_on_behind_the_bound() -> None:
    peer = _peer()
    report = struct.pack("!BBHL", 0x80, 201, 1, SSRC)
    first = SrtpSender(PROFILE, KEY, SSRC, 0, 0)
    for _ in range(3):
        peer.unprotect_rtcp(first.protect_rtcp(report))
    peer.unprotect_rtcp(SrtpSender(PROFILE, KEY, SSRC, 0, 5).protect_rtcp(report))
    with pytest.raises(Exception, match="replay"):
        peer.unprotect_rtcp(SrtpSender(PROFILE, KEY, SSRC, 0, 1).protect_rtcp(report))


def _outbound() -> Session:
    return Session(policy=Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE))


def test_a_receiver_resumes_in_a_later_roll_over() -> None:
    client, slab = _outbound(), Slab()
    sealed = [client.protect(_packet(i)) for i in range(30_000, 70_000)]
    receiver = SrtpReceiver(PROFILE, KEY)
    receiver.resume(SSRC, 69_900)
    status, plain = slab.run(srtp.unprotect, receiver.context, sealed[69_901 - 30_000])
    assert status == srtp.OK
    assert plain == _packet(69_901)
    assert receiver.roc(SSRC) == 1


def test_a_roll_over_that_nobody_saw_is_found_by_the_next_number() -> None:
    client, slab = _outbound(), Slab()
    sealed = [client.protect(_packet(i)) for i in range(32_000, 65_600)]
    receiver = SrtpReceiver(PROFILE, KEY)
    receiver.resume(SSRC, 65_535)
    past = sealed[65_550 - 32_000]
    assert slab.run(srtp.unprotect, receiver.context, past)[0] == srtp.AUTH_FAIL
    receiver.set_roc(SSRC, 1)
    assert slab.run(srtp.unprotect, receiver.context, past)[0] == srtp.OK


def test_a_peer_cannot_make_us_hold_streams_without_end() -> None:
    receiver = SrtpReceiver(PROFILE, KEY)
    for ssrc in range(srtp.MAX_STREAMS):
        assert receiver.admits(ssrc)
        receiver.accepted(ssrc)
    assert not receiver.admits(99_999)
    assert receiver.admits(0)


def test_a_report_that_is_not_authentic_is_none() -> None:
    receiver = SrtpReceiver(PROFILE, KEY)
    assert receiver.unprotect_rtcp(b"\x80\xc9\x00\x01" + bytes(24)) is None
    assert receiver.unprotect_rtcp(b"") is None
    assert receiver.unprotect_rtcp(bytes(4000)) is None


@pytest.mark.parametrize(
    ("profile", "key_bytes"),
    [(PROFILE, 30), (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28)],
)
def test_reports_that_the_one_before_us_took_are_refused(profile: int, key_bytes: int) -> None:
    key = bytes(range(key_bytes))
    peer, report = SrtpSender(profile, key, SSRC, 0, 0), struct.pack("!BBHL", 0x80, 201, 1, SSRC)
    old = [peer.protect_rtcp(report) for _ in range(5)]
    killed = SrtpReceiver(profile, key)
    for packet in old[:4]:
        assert killed.unprotect_rtcp(packet) == report
    assert killed.unprotect_rtcp(old[0]) is None
    heir = SrtpReceiver(profile, key)
    heir.resume_rtcp(killed.rtcp_mark)
    assert [heir.unprotect_rtcp(packet) for packet in old[:4]] == [None] * 4
    assert heir.rtcp_mark == killed.rtcp_mark
    assert heir.unprotect_rtcp(old[4]) == report, "that one was on its way"
    other = struct.pack("!BBHL", 0x80, 201, 1, SSRC + 1)
    sealed = SrtpSender(profile, key, SSRC + 1, 0, 0).protect_rtcp(other)
    assert heir.unprotect_rtcp(sealed) == other, "another SSRC counts apart"


def test_keys_of_a_wrong_length_are_refused() -> None:
    with pytest.raises(SrtpError):
        SrtpReceiver(PROFILE, b"short")
