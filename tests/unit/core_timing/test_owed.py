"""Owed frames only where they fit."""

from __future__ import annotations

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.timing.owed import Allowance

STEP_NS = 20 * NS_PER_MS


def learnt(work_ms: float, frames: int = 50) -> Allowance:
    allowance = Allowance()
    for _ in range(frames):
        allowance.learn(round(work_ms * NS_PER_MS), 1, STEP_NS)
    return allowance


def test_who_has_just_begun_owes_nothing() -> None:
    assert Allowance().most(STEP_NS) == 0


def test_a_mixer_with_time_to_spare_owes_all_that_is_asked_of_it() -> None:
    assert learnt(1).most(15 * NS_PER_MS) >= 2
    assert learnt(5).most(15 * NS_PER_MS) == 0
    assert learnt(1).most(-NS_PER_MS) == 0


def test_overload_owes_nothing_after_a_few_ticks() -> None:
    allowance = learnt(3)
    owed = []
    for _ in range(20):
        frames = 1 + min(2, allowance.most(STEP_NS))
        owed.append(frames - 1)
        allowance.learn(24 * NS_PER_MS * frames, frames, STEP_NS)
    assert owed[4:] == [0] * 16


def test_one_pause_is_forgotten_soon() -> None:
    allowance = learnt(1)
    allowance.learn(300 * NS_PER_MS, 1, STEP_NS)
    for _ in range(10):
        allowance.learn(NS_PER_MS, 1, STEP_NS)
    assert allowance.most(15 * NS_PER_MS) >= 2
