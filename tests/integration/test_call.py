"""People in a room hear each other, themselves never, and a killed process is not a lost call."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable

import pytest

from harness.party import Party
from harness.rtp import Heard, RtpLeg, decode
from harness.tones import level_db

AUDIBLE_DB = -30.0
ABSENT_DB = -60.0


def _hears(leg: RtpLeg, hz: float, packets: int = 25) -> float:
    return level_db(decode(leg.wait_packets(packets)), hz)


def test_two_hear_each_other_and_not_themselves(party: Party) -> None:
    low, high = party.join(440.0, "low"), party.join(1_100.0, "high")
    for leg in (low, high):
        leg.wait_packets(50)
    assert _hears(low, 1_100.0) > AUDIBLE_DB
    assert _hears(low, 440.0) < ABSENT_DB
    assert _hears(high, 440.0) > AUDIBLE_DB
    assert _hears(high, 1_100.0) < ABSENT_DB


def test_a_second_joiner_of_the_same_name_does_not_replace_the_first(party: Party) -> None:
    legs = [party.join(hz, "same") for hz in (440.0, 1_100.0, 2_300.0)]
    legs[0].wait_packets(50)
    assert _hears(legs[0], 1_100.0) > AUDIBLE_DB
    assert _hears(legs[0], 2_300.0) > AUDIBLE_DB
    _, room, _ = party.mixer.call("GET", "/rooms/lobby", party.token, Accept="application/json")
    assert len(room["participants"]) == 3


def test_a_muted_leg_is_not_heard_and_comes_back(party: Party) -> None:
    party.join(440.0, "low")
    ear = party.join(None, "ear")
    ear.wait_packets(50)
    path = f"/rooms/lobby/legs/{party.ids[0]}"
    for muted in (True, False):
        status, _, _ = party.mixer.call("PATCH", path, party.token, {"muted": muted})
        assert status == 200
        _until(_audible(ear, 440.0, not muted))


def _audible(leg: RtpLeg, hz: float, wanted: bool) -> Callable[[], bool]:
    return lambda: (_hears(leg, hz, 5) > AUDIBLE_DB) == wanted


def _until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"


def test_timestamps_are_a_count_of_samples(party: Party) -> None:
    party.join(440.0, "low")
    ear = party.join(None, "ear")
    ear.wait_packets(25)
    packets = ear.wait_packets(50)
    for before, after in itertools.pairwise(packets):
        assert (after.seq - before.seq) & 0xFFFF == 1
        assert (after.timestamp - before.timestamp) & 0xFFFF_FFFF == 960
        assert after.ssrc == before.ssrc


def _gap_s(packets: list[Heard], since_ns: int) -> float:
    later = [p.at_ns for p in packets if p.at_ns >= since_ns]
    return (later[0] - since_ns) / 1e9


@pytest.mark.timing
def test_audio_is_back_in_a_second_after_media_was_killed(party: Party) -> None:
    party.join(440.0, "low")
    ear = party.join(None, "ear")
    ear.wait_packets(50)
    _until(lambda: "voiceroom-spare" in party.mixer.pids())
    pid = party.mixer.pids()["voiceroom-media"]
    before = ear.heard[-1]
    os.kill(pid, signal.SIGKILL)
    killed_ns = time.monotonic_ns()
    ear.wait(lambda heard: heard[-1].at_ns > killed_ns + 50_000_000, 10)
    first = next(p for p in ear.heard if p.at_ns > killed_ns + 50_000_000)
    assert first.ssrc == before.ssrc
    assert 0 < (first.seq - before.seq) & 0xFFFF < 1_000, "indexes go on behind the bound"
    assert ((first.timestamp - before.timestamp) & 0xFFFF_FFFF) % 960 == 0
    _until(lambda: _hears(ear, 440.0, 10) > AUDIBLE_DB)
    tone = [p for p in ear.heard if p.at_ns > killed_ns + 50_000_000 and len(p.payload) > 10]
    assert _gap_s(tone, killed_ns) < 1.0
    assert party.mixer.pids()["voiceroom-media"] != pid


@pytest.mark.timing
def test_audio_does_not_stop_when_control_is_killed_and_joins_work_again(party: Party) -> None:
    party.join(440.0, "low")
    ear = party.join(None, "ear")
    ear.wait_packets(50)
    os.kill(party.mixer.pids()["voiceroom-control"], signal.SIGKILL)
    killed_ns = time.monotonic_ns()
    party.join_when_possible(1_100.0, "late")
    assert (time.monotonic_ns() - killed_ns) / 1e9 < 3.0
    _until(lambda: _hears(ear, 1_100.0, 10) > AUDIBLE_DB)
    during = [p.at_ns for p in ear.heard if p.at_ns > killed_ns - 500_000_000]
    longest = max(b - a for a, b in itertools.pairwise(during))
    assert longest < 150_000_000, "audio stopped"
    _, room, _ = party.mixer.call("GET", "/rooms/lobby", party.token, Accept="application/json")
    assert {p["identity"] for p in room["participants"]} == {"low", "ear", "late"}
