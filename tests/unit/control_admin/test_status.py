"""What the operator is told of how hard a pod is pressed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.door import segment
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.config import PodPlace, RealtimeAsk
from voiceroom_mixer.control.admin.status import PodStatus
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.edge.cgroup import CpuBudget
from voiceroom_mixer.edge.shm import Segment

PLACE = PodPlace("mixer-1", "voice", "default", "/pool", "/state", "boot")


class Load:
    """A room of 20 ms and nobody in it."""

    def leg_counts(self) -> dict[str, int]:
        return {}

    def participant_counts(self) -> dict[str, int]:
        return {}

    def frame_ms(self, _process: int) -> int | None:
        return 20


def status(*segments: Segment) -> PodStatus:
    directory = SimpleNamespace(number=0)
    desk = SimpleNamespace(term=1, generation=1, directory=directory, kept=False, assignment=None)
    return PodStatus(
        place=PLACE,
        ask=RealtimeAsk(),
        desk=cast(Any, desk),
        load=Load(),
        readiness=cast(Any, SimpleNamespace(unready=list)),
        segments=segments,
        budget=CpuBudget,
        cpus=lambda: 1,
        now_ns=lambda: 0,
    )


@pytest.mark.parametrize(("level", "accepting"), [(0, True), (4, True), (5, False)])
def test_a_pod_says_its_level_and_takes_nobody_in_at_the_last(level: int, accepting: bool) -> None:
    calm, pressed = segment(), segment()
    pressed.counters[stats.INDEX["ladder_level"]] = level
    pressed.counters[stats.INDEX["breaker_state"]] = Breaker.HALF_OPEN
    said = status(calm, pressed).document()
    assert (said["level"], said["breaker"], said["accepting"]) == (level, "half-open", accepting)


def test_headroom_is_of_the_frames_that_are_mixed() -> None:
    memory = segment()
    memory.set_word("media_ready", 1)
    memory.counters[stats.INDEX["ticks"]] = 1
    memory.ticks[1] = (4, 0, 10 * NS_PER_MS, 0, 0, 0, 0, 0)
    assert status(memory).document()["headroom"] == 0.5
    memory.counters[stats.INDEX["frame_ns"]] = 40 * NS_PER_MS
    assert status(memory).document()["headroom"] == 0.75
