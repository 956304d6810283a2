"""Whole CPUs dealt out to the processes of a pod."""

from __future__ import annotations

import pytest

from voiceroom_mixer.config import RealtimeAsk
from voiceroom_mixer.edge.placement import Shares, share_out

TWO = RealtimeAsk("Exclusive", cpus=2)


def test_media_has_one_each_and_control_the_rest() -> None:
    assert share_out(TWO, [4, 5], 1) == Shares(((4,),), control=(5,))
    four = RealtimeAsk("Fifo", cpus=4)
    assert share_out(four, [0, 1, 2, 3], 2) == Shares(((0,), (1,)), control=(2, 3))


def test_without_a_cpu_to_spare_control_runs_when_media_does_not() -> None:
    one = RealtimeAsk("Exclusive", cpus=1)
    assert share_out(one, [7], 1) == Shares(((7,),), control_idle=True)
    assert share_out(TWO, [1, 2], 3) == Shares(((1,), (2,), (1,)), control_idle=True)


@pytest.mark.parametrize(
    ("ask", "cpus"),
    [
        (None, [0]),
        (RealtimeAsk("Shared"), [0]),
        (RealtimeAsk("Quota"), [0]),
        (TWO, [0, 1, 2, 3]),
        (TWO, [0]),
        (RealtimeAsk("Fifo"), [0, 1]),
    ],
)
def test_cpus_that_others_have_too_are_left_to_the_scheduler(
    ask: RealtimeAsk | None, cpus: list[int]
) -> None:
    assert share_out(ask, cpus, 2) == Shares(((), ()))
