"""What a media process that was killed leaves to the next, and to the one after that."""

from __future__ import annotations

import struct

import pytest

from harness.faults import kill, warm_spares
from harness.listening import until, until_heard
from harness.mixer import Mixer
from harness.party import Party
from harness.rtp import RtpLeg
from harness.webrtc import WebRtcLeg

BACK_S = 1.0
REPLAYED = 'voiceroom_rx_dropped_total{reason="srtp_auth"}'


def _sound_after(leg: RtpLeg, at_ns: int) -> list[int]:
    return [p.at_ns for p in list(leg.heard) if p.at_ns > at_ns and len(p.payload) > 10]


@pytest.mark.timing
def test_media_killed_again_before_anybody_has_drawn_breath(party: Party) -> None:
    web, gateway = party.dial(440.0, "web"), party.join(1_100.0, "gateway")
    until_heard(web, 1_100.0)
    until_heard(gateway, 440.0)
    until(lambda: warm_spares(party.mixer) == 2, 20.0, "no two spares")
    first = party.mixer.pids()["voiceroom-media"]
    kill(party.mixer, "voiceroom-media")
    until(lambda: party.mixer.pids().get("voiceroom-media", first) != first, what="no heir")
    killed_ns = kill(party.mixer, "voiceroom-media")
    late_ns = killed_ns + 30_000_000
    for leg in (web, gateway):
        until(lambda leg=leg: bool(_sound_after(leg, late_ns)), what="no sound")  # type: ignore[misc]
        assert (_sound_after(leg, late_ns)[0] - killed_ns) / 1e9 < BACK_S
    until_heard(web, 1_100.0)
    assert web.refused == [], "no index twice"


def test_a_report_from_before_a_kill_is_not_taken_again(party: Party) -> None:
    web = party.dial(440.0, "web")
    ear = party.join(None, "ear")
    until_heard(ear, 440.0)
    reports = [web.seal_report(_receiver_report(web.ssrc)) for _ in range(3)]
    for report in reports[:2]:
        web.socket.sendto(report, web.target)
    _refused_when_sent_again(party.mixer, web, reports[1])
    until(lambda: warm_spares(party.mixer) > 0, 20.0, "no spare")
    killed_ns = kill(party.mixer, "voiceroom-media")
    until(lambda: bool(_sound_after(ear, killed_ns + 30_000_000)), what="no sound")
    for report in reports[:2]:
        _refused_when_sent_again(party.mixer, web, report)
    before = party.mixer.metrics()[REPLAYED]
    web.socket.sendto(reports[2], web.target)
    _refused_when_sent_again(party.mixer, web, reports[2])
    assert party.mixer.metrics()[REPLAYED] == before + 1, "the first time it was new"


def _receiver_report(ssrc: int) -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc)


def _refused_when_sent_again(mixer: Mixer, leg: WebRtcLeg, report: bytes) -> None:
    before = mixer.metrics().get(REPLAYED, 0.0)
    leg.socket.sendto(report, leg.target)
    until(lambda: mixer.metrics().get(REPLAYED, 0.0) > before, what="it was taken again")


def test_the_stacks_of_a_media_process_that_hangs_are_shown(mixer: Mixer) -> None:
    admin = mixer.sign("admin")
    status, seen, _ = mixer.call("GET", "/debug/threads", admin)
    assert status == 200
    (media,) = seen["media"]
    assert media["pid"] == mixer.pids()["voiceroom-media"]
    assert any("loop.py" in line and "in run" in line for line in media["stack"])
    first = media["pid"]
    kill(mixer, "voiceroom-media")
    until(lambda: mixer.pids().get("voiceroom-media", first) != first, what="no heir")
    ticks = mixer.metrics()["voiceroom_ticks_total"]
    until(lambda: mixer.metrics()["voiceroom_ticks_total"] != ticks)
    (media,) = mixer.call("GET", "/debug/threads", admin)[1]["media"]
    assert "stack" in media, "the heir is looked into as well"
