"""What nobody should send is counted by its reason, and a call beside it goes on unharmed."""

from __future__ import annotations

import random
import re
import struct

import pytest

from harness.hostile import flood, srtp_like, truncated
from harness.listening import tone_is_whole, until, until_heard
from harness.party import Party
from harness.webrtc import WebRtcLeg

FLOOD = 100_000


def dropped(room: Party) -> dict[str, float]:
    """Counts by reason."""
    pattern = re.compile(r'voiceroom_rx_dropped_total\{reason="(\w+)"\}')
    found = ((pattern.fullmatch(name), n) for name, n in room.mixer.metrics().items())
    return {match[1]: n for match, n in found if match}


@pytest.mark.timing
def test_a_flood_is_counted_by_reason_and_not_heard(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    until_heard(ear, 440.0)
    skipped = [_skipped(room)]
    ear.wait_packets(FLOOD // 200, 30)
    skipped.append(_skipped(room))
    before, begun = dropped(room), len(ear.heard)
    sent = flood(web.target, FLOOD, web.ice.remote_ufrag, seed=20_478)

    def counted() -> float:
        return sum(dropped(room).values()) - sum(before.values())

    until(lambda: counted() >= FLOOD, what="not all were counted")
    after = dropped(room)
    lost = after["socket_overflow"] - before["socket_overflow"]
    for reason, number in sent.items():
        assert number - lost <= after[reason] - before[reason] <= number, reason
    assert lost == 0
    skipped.append(_skipped(room))
    assert skipped[2] - skipped[1] <= skipped[1] - skipped[0], "more than in as long a time before"
    tone_is_whole(ear, begun, 440.0)


def _skipped(room: Party) -> float:
    return room.mixer.metrics()["voiceroom_ticks_skipped_total"]


@pytest.mark.timing
def test_what_is_not_authentic_changes_nothing(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    until_heard(ear, 440.0)
    before, begun, rng = dropped(room), len(ear.heard), random.Random(20_478)
    genuine = web.sent
    for _ in range(50):
        web.socket.sendto(srtp_like(web.ssrc, rng), web.target)
        web.socket.sendto(srtp_like(rng.randrange(2**32), rng), web.target)
        web.socket.sendto(genuine, web.target)
        web.socket.sendto(truncated(genuine, rng), web.target)
        web.socket.sendto(bytes((rng.randrange(128, 192), 200)) + rng.randbytes(40), web.target)
    reasons = ("srtp_auth", "srtp_replay", "rtp_malformed", "empty")

    def counted() -> float:
        return sum(dropped(room)[name] - before[name] for name in reasons)

    until(lambda: counted() == 5 * 50, what="not all were counted")
    ear.wait_packets(25)
    tone_is_whole(ear, begun, 440.0)


def test_malformed_rtcp_of_an_authentic_peer_is_counted(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    until_heard(ear, 440.0)
    before = dropped(room)["rtcp_malformed"]
    for body in (b"\x81\xc9\x00\x07" + bytes(4), b"\x80\xc8\x00\xff" + bytes(24)):
        web.put_report(body)
    until(lambda: dropped(room)["rtcp_malformed"] == before + 2)
    until_heard(ear, 440.0)


def test_unknown_header_extensions_are_stepped_over(room: Party) -> None:
    web, ear = _Extended(440.0), room.join(None, "ear")
    room.legs.append(web)
    web.join(room.mixer, room.sign("speaker"), room=room.home)
    until_heard(ear, 440.0)


class _Extended(WebRtcLeg):
    """Sends extensions that nobody negotiated, in the one-byte form and in an unknown one."""

    def packet(self, payload: bytes) -> bytes:
        plain = super().packet(payload)
        profile = 0xBEDE if self.seq % 2 else 0x4242
        block = struct.pack("!HH", profile, 2) + b"\x92\x01\x02\x03\xf0\xff\xff\xff"
        return bytes((0x90,)) + plain[1:12] + block + payload


def test_another_payload_type_is_counted_and_not_heard(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    room.join(1_100.0, "company")
    until_heard(ear, 440.0)
    before = dropped(room)["rtp_payload_type"]
    web.payload_type = 96
    until(lambda: dropped(room)["rtp_payload_type"] > before + 10)
    web.payload_type = 111
    until_heard(ear, 440.0)


SDP, JSON = "application/sdp", "application/json"


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/whip", SDP, "", 400),
        ("/whip", SDP, "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * 500, 400),
        ("/whip", SDP, "\0\xff" * 100, 400),
        ("/whip", SDP, "v=0\r\n" * 20_000, 413),
        ("/whip", JSON, "{}", 415),
        ("/whep", SDP, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\n", 422),
        ("/legs", JSON, "[" * 10_000, 400),
        ("/legs", JSON, '{"kind":"rtp","ip":"127.0.0.1","port":1e999,"payloadType":111}', 422),
        ("/legs", JSON, '{"kind":"rtp","ip":"localhost","port":5,"payloadType":111}', 422),
        ("/legs", JSON, '{"kind":"rtp","ip":"8.8.8.8","port":5000,"payloadType":111}', 403),
        ("/legs", JSON, '{"x":"' + "y" * 20_000 + '"}', 413),
        ("/legs", JSON, "[]", 400),
    ],
)
def test_hostile_bodies_are_refused_with_a_reason(
    room: Party, path: str, kind: str, body: str, status: int
) -> None:
    where, mixer = f"/rooms/{room.home}{path}", room.mixer
    got, answer, _ = mixer.call("POST", where, room.token, body, Content_Type=kind)
    assert got == status, answer
    assert set(answer) >= {"error", "message"}
    assert room.room()["participants"] == []
