"""A timer that goes bad wherever the room is: it moves less and less often."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import pairwise

import pytest

from harness.drift import EAGER, Call, a_call, throttled
from harness.voice import Voice, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
COOLDOWN_S = 10
FLAPPING = EAGER | {
    "cooldown": f"{COOLDOWN_S}s",
    "healthyDelay": "5s",
    "budget": {"nodesAtOnce": 1, "podsPerHour": 20},
}
MOVES = 3


def _is_elsewhere(call: Call, pod: str) -> bool:
    return call.pod != pod


def left_s(voice: Voice) -> float:
    """When the latest move for drift was decided, by its record: how long a hand-over takes then
    differs from one to the next, and the cooldown is not about that."""
    at: str = voice.status("lobby")["moves"]["drift"]["at"]
    return datetime.fromisoformat(at).timestamp()


def test_the_cooldown_doubles_while_every_pod_that_gets_the_room_goes_bad(watched: Voice) -> None:
    size = {"min": 3, "max": 5, "spare": 0}
    with a_call(watched, remediation=FLAPPING, size=size) as call:
        moved_s = []
        for number in range(MOVES):
            pod = call.pod
            with throttled(watched, pod):
                until(partial(_is_elsewhere, call, pod), 60, f"move {number + 1}")
                moved_s.append(left_s(watched))
            call.goes_on()
        waits = [later - earlier for earlier, later in pairwise(moved_s)]
        print(f"waited {', '.join(f'{wait:.0f}' for wait in waits)} s between moves")
        assert waits[0] >= COOLDOWN_S
        assert waits[1] >= 2 * COOLDOWN_S
        drift = watched.status("lobby")["moves"]["drift"]
        assert drift["inARow"] == MOVES
