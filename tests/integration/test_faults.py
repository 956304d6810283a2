"""A process is killed under a call, and the call goes on."""

from __future__ import annotations

import itertools
import os
import signal
import time
import urllib.error
from pathlib import Path

import pytest

from harness.events import events, until_event
from harness.faults import jump, kill, wait_spare
from harness.listening import until, until_heard
from harness.mixer import Mixer, running
from harness.party import Party, gathering
from harness.rtp import RtpLeg, byes
from harness.webrtc import WebRtcLeg, offer

BACK_S = 1.0
JOINS_S = 3.0
RESERVED = 64
FORWARD, BEFORE_THE_WRAP = 30_000, 65_520
LATE_NS = 30_000_000
"""What was sent before a kill may come this much after it."""


def _tone_again_s(leg: RtpLeg, killed_ns: int) -> float:
    """From the kill to the first packet with sound after it."""

    def later() -> list[int]:
        found = [p for p in list(leg.heard) if p.at_ns > killed_ns + LATE_NS]
        return [p.at_ns for p in found if len(p.payload) > 10]

    until(lambda: bool(later()), what="no sound came back")
    return (later()[0] - killed_ns) / 1e9


def _no_index_twice(leg: WebRtcLeg) -> None:
    assert leg.refused == []
    for indexes in leg.indexes.values():
        assert all(b > a for a, b in itertools.pairwise(indexes))


@pytest.mark.timing
def test_media_killed_again_and_again_under_a_webrtc_call(party: Party) -> None:
    web, gateway = party.dial(440.0, "web"), party.join(1_100.0, "gateway")
    until_heard(web, 1_100.0)
    until_heard(gateway, 440.0)
    for _ in range(3):
        wait_spare(party.mixer)
        before = web.heard[-1]
        killed_ns = kill(party.mixer, "voiceroom-media")
        for leg in (web, gateway):
            assert _tone_again_s(leg, killed_ns) < BACK_S
        first = next(p for p in web.heard if p.at_ns > killed_ns + LATE_NS)
        assert 0 < (first.seq - before.seq) & 0xFFFF <= 2 * RESERVED
        assert (first.timestamp - before.timestamp) % 2**32 % 960 == 0
        until_heard(gateway, 440.0)
        until_heard(web, 1_100.0)
    _no_index_twice(web)
    assert len(web.indexes) == 1, "the SSRC stays"
    assert web.handshakes == 1


@pytest.mark.timing
def test_media_killed_where_our_sequence_numbers_wrap(party: Party) -> None:
    web, _ = party.dial(440.0, "web"), party.join(1_100.0, "gateway")
    until_heard(web, 1_100.0)
    wait_spare(party.mixer)
    while (at := web.heard[-1].seq) < BEFORE_THE_WRAP:
        aim = min(at + FORWARD, BEFORE_THE_WRAP)
        jump(party.mixer, web.id, aim)
        web.wait(lambda heard, aim=aim: heard[-1].seq >= aim, 5)  # type: ignore[misc]
    kill(party.mixer, "voiceroom-media")
    web.wait(lambda heard: 64 < heard[-1].seq < 1_000, 10)
    until_heard(web, 1_100.0)
    _no_index_twice(web)


def test_the_clients_sequence_numbers_wrap_while_media_is_dead(party: Party) -> None:
    web, ear = party.dial(440.0, "web", seq=65_300), party.join(None, "ear")
    wait_spare(party.mixer)
    until_heard(ear, 440.0)
    until(lambda: web.seq >= 65_530, 20)
    assert web.seq < 65_536, "the kill comes before the wrap"
    kill(party.mixer, "voiceroom-media")
    until(lambda: web.seq > 65_560)
    until_heard(ear, 440.0)


@pytest.mark.timing
def test_control_killed_under_a_webrtc_call(party: Party) -> None:
    mixer = party.mixer
    web, gateway = party.dial(440.0, "web"), party.join(1_100.0, "gateway")
    until_heard(web, 1_100.0)
    until_heard(gateway, 440.0)
    killed_ns = kill(mixer, "voiceroom-control")
    late = party.join_when_possible(2_300.0, "late")
    assert (time.monotonic_ns() - killed_ns) / 1e9 < JOINS_S
    until_heard(web, 2_300.0)
    for leg in (web, gateway):
        heard = [p for p in leg.heard if p.at_ns > killed_ns - 500_000_000]
        steps = {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(heard)}
        assert steps == {960}, "a frame is missing"
    _no_index_twice(web)
    web.restart_ice(mixer)
    web.nominate(web.ice.candidates[0])
    until_heard(late, 440.0)
    assert mixer.call("DELETE", web.location, web.token)[0] == 200


def _refusal(mixer: Mixer, token: str) -> str:
    """The code with which a join is refused; asks until somebody answers."""
    leg = WebRtcLeg(None)
    leg.close()
    while True:
        try:
            body, kind = offer(leg.ice), "application/sdp"
            _, answer, _ = mixer.call("POST", "/rooms/lobby/whip", token, body, Content_Type=kind)
        except (urllib.error.URLError, ConnectionError):
            continue
        return str(answer["error"])


def test_locks_kicks_and_events_outlive_control(party: Party) -> None:
    mixer = party.mixer
    party.join(1_100.0, "gateway")
    web = party.dial(440.0, "web")
    with events(mixer, party.token) as stream:
        party.call("DELETE", f"/legs/{web.id}")
        seen = until_event(stream, "kicked")
    party.call("PATCH", "", {"locked": True, "muteAll": True})
    kill(mixer, "voiceroom-control")
    assert _refusal(mixer, web.token) == "kicked"
    assert _refusal(mixer, party.sign("speaker")) == "locked"
    room = party.room()
    assert (room["locked"], room["muteAll"]) == (True, True)
    assert [p["identity"] for p in room["participants"]] == ["gateway"]
    with events(mixer, party.token, last_id=str(seen.id)) as stream:
        assert until_event(stream, "left").data["id"] == web.id
        assert until_event(stream, "locked").data == {"locked": True}


def test_a_killed_keeper_leaves_no_process(mixer: Mixer) -> None:
    wait_spare(mixer)
    until(lambda: len(mixer.pids()) == 4, what="no clock probe beside the mixer")
    children = mixer.pids()
    mixer.process.send_signal(signal.SIGKILL)
    until(lambda: not any(_runs(pid) for pid in children.values()), what="somebody stays behind")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_drain_deadline_ends_with_bye_on_every_leg(tmp_path: Path) -> None:
    options = ("--drain-deadline", "1s")
    with running(tmp_path, *options) as mixer, gathering(mixer) as party:
        legs = [party.dial(440.0, "web"), party.join(1_100.0, "gateway")]
        until_heard(legs[0], 1_100.0)
        mixer.process.send_signal(signal.SIGTERM)
        sent = [leg.heard[-1].ssrc for leg in legs]
        for leg, ssrc in zip(legs, sent, strict=True):
            until(lambda leg=leg, ssrc=ssrc: byes(leg) == [ssrc], what="no BYE")  # type: ignore[misc]
        assert mixer.process.wait(10) == 0
        assert isinstance(legs[0], WebRtcLeg)
        assert legs[0].closed_by_peer


def test_a_second_sigterm_ends_at_once(party: Party) -> None:
    party.join(440.0, "gateway").wait_packets(2)
    process = party.mixer.process
    process.send_signal(signal.SIGTERM)
    until(lambda: party.mixer.call("GET", "/readyz")[0] == 503)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(2) == 128 + signal.SIGTERM
