"""The network between the two pods of a hand-over is cut: one has the room, and nothing is sent
twice."""

from __future__ import annotations

from collections import defaultdict

import pytest

from harness.drift import Call, a_call, captured, mixed_at, mixes, request_move
from harness.podcut import cut_between
from harness.rtp import Heard
from harness.voice import OFF, Voice, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
CUT_S = 3
GAP_MS = 2_000
SETTLED = ("Ready", "Degraded")


@pytest.mark.parametrize("moment", ["begun", "cut"])
def test_two_pods_that_lose_each_other_in_a_hand_over(watched: Voice, moment: str) -> None:
    with a_call(watched, remediation=OFF) as call:
        cyd, old, begun = captured(call), call.pod, len(call.bob.heard)
        (new,) = set(watched.pods()) - {old}
        there = watched.door("lobby", new)
        request_move(watched)
        if moment == "begun":
            until(lambda: "to" in call.last_move, 20, "the move is on record")
        else:
            until(lambda: mixes(there), 20, "the new pod has it")
        with cut_between(watched, old, new):
            call.bob.wait_packets(50 * CUT_S, timeout_s=5 * CUT_S)
        until(lambda: watched.status("lobby")["phase"] in SETTLED, 60, "it has settled")
        until(lambda: mixed_at(watched) == [call.pod], 30, "one pod has it, as is on record")
        call.goes_on()
        found = call.passage(begun)
        print(f"cut when {moment}: at the {_who(call, old)} pod; {found}; {call.last_move}")
        assert found.gap_ms < GAP_MS
        cyd.no_index_came_twice()
        each_number_has_one_packet(call.bob.heard[begun:])


def _who(call: Call, old: str) -> str:
    return "old" if call.pod == old else "new"


def each_number_has_one_packet(packets: list[Heard]) -> None:
    """Two mixes under one epoch would share an SSRC, and send two packets of each number."""
    came: dict[tuple[int, int], set[bytes]] = defaultdict(set)
    for packet in packets:
        came[packet.ssrc, packet.seq].add(packet.payload)
    twice = {number: len(found) for number, found in came.items() if len(found) > 1}
    assert not twice, twice
