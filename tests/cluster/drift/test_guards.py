"""What is left and what stays, by whose fault it is and what the guard rails say."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from harness.drift import EAGER, a_call, node_of, nodes, throttled
from harness.rundelay import watching_for_starvation
from harness.voice import Voice, until
from localcluster import realtime

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
STAYS_S = 12
"""Twice what it takes to leave a pod."""
LEFT_S = 20.0
TWO_A_NODE = {"min": 4, "max": 6, "spare": 0}
"""So that what one pod shows alone is not its node's."""


# Both nodes are one machine: where it really starves a mixer, the node is rightly blamed.
@pytest.mark.timing
def test_of_one_bad_pod_only_its_rooms_move_and_it_is_replaced(watched: Voice) -> None:
    with a_call(watched, size=TWO_A_NODE) as call:
        watched.room("other", placement="Dedicated")
        watched.ready("other")
        until(lambda: len(watched.pods()) >= 4, 60, "two pods on each node")
        bad, beside, uids = call.pod, watched.owner("other"), watched.uids()
        assert bad != beside
        with watching_for_starvation(watched), throttled(watched, bad):
            until(lambda: call.pod != bad, LEFT_S, "the room is still there")
            call.goes_on()
        until(lambda: uids[bad] not in watched.uids().values(), 90, "it is replaced")
        assert (watched.owner("other"), watched.uids()[beside]) == (beside, uids[beside])
        reasons = watched.reasons()
        assert "DriftOfPod" in reasons
        assert "DriftOfNode" not in reasons


def test_when_everything_is_bad_nobody_moves(watched: Voice) -> None:
    with a_call(watched) as call, ExitStack() as stalls:
        pod, uids = call.pod, watched.uids()
        for node in nodes(watched):
            stalls.enter_context(realtime.stalled(node_of(watched, node)))
        watched.reads("mixerpool", "default", "RemediationBlocked", "True", "StormActive")
        call.bob.wait_packets(50 * STAYS_S // 4, timeout_s=60)  # it gets through in bursts
        stalls.close()
        assert (call.pod, watched.uids()) == (pod, uids)
        call.goes_on()


def test_a_room_that_has_just_moved_stays_for_its_cooldown(watched: Voice) -> None:
    with a_call(watched) as call:
        first = call.pod
        with throttled(watched, first):
            until(lambda: call.pod != first, LEFT_S, "the room is still there")
        call.follow()
        second = call.pod
        with throttled(watched, second):
            said = watched.reads(
                "voiceroom", "lobby", "RemediationBlocked", "True", "CooldownActive"
            )
            assert "stays until" in said
            assert call.pod == second
        call.goes_on()


def test_a_dry_run_decides_the_same_and_moves_nobody(watched: Voice) -> None:
    with a_call(watched, remediation=EAGER | {"mode": "DryRun"}) as call:
        pod, uids = call.pod, watched.uids()
        with throttled(watched, pod):
            watched.reads("voiceroom", "lobby", "RemediationBlocked", "True", "DryRun")
            until(lambda: "DriftDryRun" in watched.reasons(), 10, "the event")
        assert (call.pod, watched.uids()) == (pod, uids)
        call.goes_on()
