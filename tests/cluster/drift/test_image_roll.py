"""A pool gets another image under a live call: it is not heard."""

from __future__ import annotations

import json

import pytest

from harness.drift import Call, a_call
from harness.listening import AUDIBLE_DB, WARM_UP, WHOLE_DB, gaps, loudness
from harness.rundelay import watching_for_starvation
from harness.voice import OFF, Voice, until
from localcluster import network
from localcluster.shell import run

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
ADA_HZ = 620.0
ROLLED_S = 150
MOST_DIPPED = 10
"""For each move, spans of 100 ms, one begun each 20 ms: Ada changes her way in mid-word."""


def by_another_name(voice: Voice, image: str) -> str:
    """The same content under another tag, on both nodes."""
    other = f"{image.rpartition(':')[0]}:rolled"
    for node in voice.machine.layout.nodes:
        ctr = ("ctr", "-a", str(node.socket), "-n", "k8s.io", "images", "tag", "--force")
        run(*network.enter(node), *ctr, image, other)
    return other


@pytest.mark.timing
def test_a_roll_of_the_image_under_a_live_call_is_not_heard(watched: Voice, image: str) -> None:
    other = by_another_name(watched, image)
    with a_call(watched, remediation=OFF) as call, watching_for_starvation(watched):
        before, begun, ids = set(watched.uids().values()), len(call.bob.heard), call.party.ids
        patch = {"spec": {"image": other}}
        watched.kubectl("patch", "mixerpool", "default", "--type=merge", "-p", json.dumps(patch))
        took_s = until(lambda: _rolled(call, before), ROLLED_S, "all pods are new")
        call.goes_on()
        moves = watched.status("lobby")["moves"]
        print(f"rolled in {took_s:.0f} s: {call.passage(begun)}; {moves['count']} moves")
        images = {pod["spec"]["containers"][0]["image"] for pod in watched.pods().values()}
        assert images == {other}
        nothing_is_missing(call, begun, moves["count"])
        assert participants(watched, call) == set(ids)


def participants(voice: Voice, call: Call) -> set[str]:
    """Ids of legs, as the pod that has the room shows them."""
    token = call.party.token
    answer = voice.door("lobby").call("GET", "/rooms/lobby", token, None, Accept="application/json")
    return {leg["id"] for leg in answer[1]["participants"]}


def _rolled(call: Call, before: set[str]) -> bool:
    """Ada and Bob follow the room meanwhile, as gateways do that hear of `moved`."""
    call.follow()
    uids = set(call.voice.uids().values())
    return len(uids) == 2 and not uids & before and call.voice.is_ready("lobby")


def nothing_is_missing(call: Call, begun: int, moves: int) -> None:
    """Every frame came, of one stream."""
    packets = call.bob.heard[begun - WARM_UP :]
    assert not gaps(packets)
    levels = loudness(packets, ADA_HZ)
    dipped = [round(level) for level in levels if level < WHOLE_DB]
    assert len(dipped) <= MOST_DIPPED * moves, dipped
    assert min(levels) > AUDIBLE_DB
