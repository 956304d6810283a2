"""The reason the product exists: a node stalls, and the room is where time is kept."""

from __future__ import annotations

import pytest

from browsers.chromium import Chromiums
from harness.drift import Call, a_call, lead_from, node_of
from harness.listening import until_heard
from harness.voice import Voice, until
from localcluster import realtime

pytestmark = pytest.mark.timeout(300)
INA_HZ, JON_HZ = 1_170, 1_640
ELSEWHERE_S, THERE_S = 10.0, 30.0
"""Promised from the stall on, by where the leading operator is."""


def moved_away(call: Call, node: str, within_s: float) -> float:
    """Until the room is elsewhere, in seconds."""
    return until(lambda: call.node != node, within_s, f"the room is still there: {call.last_move}")


@pytest.mark.timing
def test_a_stalled_node_is_left_and_nobody_rejoins(voice: Voice) -> None:
    with a_call(voice) as call:
        node, begun, ids = call.node, len(call.bob.heard), set(call.party.ids)
        lead_from(voice.cluster, off=node)
        with realtime.stalled(node_of(voice, node)):
            took_s = moved_away(call, node, 2 * ELSEWHERE_S)
            call.goes_on()
        found = call.passage(begun)
        print(f"stalled node: away after {took_s:.1f} s; {found}; {call.last_move}")
        assert took_s <= ELSEWHERE_S
        assert found.streams <= 2
        people = call.voice.door("lobby").call(
            "GET", "/rooms/lobby", call.party.token, None, Accept="application/json"
        )[1]["participants"]
        assert {leg["id"] for leg in people} == ids
    assert "DriftOfNode" in voice.reasons()


@pytest.mark.timing
def test_a_leader_on_the_stalled_node_gives_the_lead_away(voice: Voice) -> None:
    with a_call(voice) as call:
        node = call.node
        lead_from(voice.cluster, on=node)
        with realtime.stalled(node_of(voice, node)):
            took_s = moved_away(call, node, 2 * THERE_S)
            call.goes_on()
        print(f"stalled with the leader: away after {took_s:.1f} s; {call.last_move}")
        assert took_s <= THERE_S


@pytest.mark.timing
def test_two_browsers_and_a_gateway_go_on_talking(voice: Voice, chromium: Chromiums) -> None:
    with a_call(voice) as call:
        node = call.node
        lead_from(voice.cluster, off=node)
        (door,) = set(voice.pods()) - {call.pod}
        with voice.forwarded(voice.get("pod", door)) as base:
            token = call.party.token
            ina, jon = (
                chromium.person(hz).enter(f"{base}/rooms/lobby?token={token}", name)
                for hz, name in ((INA_HZ, "ina"), (JON_HZ, "jon"))
            )
            ina.wait_tone(JON_HZ)
            legs = (ina.leg, jon.leg)
            with realtime.stalled(node_of(voice, node)):
                took_s = moved_away(call, node, 2 * ELSEWHERE_S)
                call.follow()
                ina.wait_tone(JON_HZ)
                jon.wait_tone(INA_HZ)
                until_heard(call.bob, float(INA_HZ))
            assert (ina.leg, jon.leg) == legs
        print(f"two browsers and two gateways: away after {took_s:.1f} s; {call.last_move}")
        assert took_s <= ELSEWHERE_S
