"""The grid, and what becomes of ticks that come late."""

from __future__ import annotations

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.timing.schedule import SLOT_NS, Schedule, TickPlan

ORIGIN = 5 * NS_PER_S


def grid(*frames_ms: int, last_slot: int = -1) -> Schedule:
    schedule = Schedule(ORIGIN, last_slot)
    schedule.use_frames(frames_ms)
    return schedule


def at(slot: float) -> int:
    return ORIGIN + round(slot * SLOT_NS)


def test_a_room_of_20_ms_is_mixed_at_even_slots_without_any_drift() -> None:
    schedule = grid(20)
    slots = []
    for _ in range(1000):
        late_by = 150_000  # every wake-up is late; a chain of relative sleeps would add this up
        plan = schedule.due(schedule.next_deadline_ns + late_by)
        assert plan is not None
        slots.append(plan.slot)
        assert plan.late_ns == late_by
    assert slots == list(range(0, 2000, 2))
    assert schedule.next_deadline_ns == at(2000)


def test_nothing_is_due_before_the_deadline() -> None:
    schedule = grid(20)
    assert schedule.due(at(0) - 1) is None
    assert schedule.due(at(0)) is not None
    assert schedule.due(at(2) - 1) is None


def test_a_tick_is_handed_out_once() -> None:
    schedule = grid(20)
    assert schedule.due(at(0)) is not None
    assert schedule.due(at(0)) is None


def test_late_by_less_than_a_frame_is_mixed_at_once_and_the_next_stays_on_the_grid() -> None:
    schedule = grid(20)
    plan = schedule.due(at(1.9))
    assert plan is not None
    assert (plan.slot, plan.skipped, plan.late_ns) == (0, 0, 19 * NS_PER_MS)
    assert schedule.next_deadline_ns == at(2)


def test_late_by_a_frame_or_more_skips_to_the_grid_and_counts() -> None:
    schedule = grid(20)
    assert schedule.due(at(0)) is not None
    plan = schedule.due(at(13))  # slots 2, 4, 6, 8, 10 have passed; 12 is the newest
    assert plan is not None
    assert (plan.slot, plan.skipped) == (12, 5)
    assert plan.late_ns == 110 * NS_PER_MS
    assert plan.deadline_ns == at(12)


def test_a_stall_ends_in_one_tick_and_never_in_a_burst() -> None:
    schedule = grid(10)
    stalled_until = at(500.5)
    assert schedule.due(stalled_until) is not None
    assert schedule.due(stalled_until) is None
    assert schedule.next_deadline_ns == at(501)


def test_rooms_of_different_frames_are_mixed_on_their_own_grids() -> None:
    schedule = grid(10, 20, 40)
    turns: dict[int, list[int]] = {10: [], 20: [], 40: []}
    for slot in range(9):
        plan = schedule.due(at(slot))
        assert plan is not None
        for frame_ms, mixed in turns.items():
            if (mine := plan.frame_slot(frame_ms)) is not None:
                mixed.append(mine)
    assert turns == {10: list(range(9)), 20: [0, 2, 4, 6, 8], 40: [0, 4, 8]}


def test_a_stall_shorter_than_its_frame_costs_a_40_ms_room_nothing() -> None:
    schedule = grid(10, 40)
    for slot in range(4):
        schedule.due(at(slot))
    plan = schedule.due(at(6))  # slots 4 and 5 were missed: 4 was the turn of the 40 ms room
    assert plan is not None
    assert plan.frame_slot(10) == 6
    assert plan.frames_skipped(10) == plan.skipped == 2
    assert plan.frame_slot(40) == 4
    assert plan.frames_skipped(40) == 0


def test_a_long_stall_costs_each_room_its_own_frames() -> None:
    schedule = grid(10, 40)
    schedule.due(at(0))
    plan = schedule.due(at(17))
    assert plan is not None
    assert (plan.frame_slot(10), plan.frames_skipped(10)) == (17, 16)
    assert (plan.frame_slot(40), plan.frames_skipped(40)) == (16, 3)


def test_a_new_process_goes_on_with_the_grid_and_counts_what_nobody_mixed() -> None:
    before = grid(20)
    for slot in range(0, 101, 2):
        before.due(at(slot))
    after = Schedule(ORIGIN, before.last_slot)
    plan = after.due(at(140))
    assert plan is not None
    assert (plan.slot, plan.skipped) == (140, 19)
    assert plan.deadline_ns == at(140)


def test_a_clock_that_steps_back_is_counted_and_makes_nothing_due_twice() -> None:
    schedule = grid(20)
    assert schedule.due(at(4)) is not None
    assert schedule.due(at(2)) is None
    assert schedule.due(at(4)) is None
    assert schedule.backsteps == 1
    assert schedule.due(at(6)) is not None


def test_a_wall_clock_step_is_nothing_to_the_schedule() -> None:
    """No reading of the wall clock goes in: two runs that differ in it cannot differ in ticks."""
    stepped, steady = grid(20), grid(20)
    for tick in range(200):
        now = at(2 * tick) + tick % 7 * 100_000
        assert stepped.due(now) == steady.due(now)


def test_without_rooms_the_grid_still_ticks_every_20_ms() -> None:
    schedule = grid()
    assert [p.slot for t in range(6) if (p := schedule.due(at(t)))] == [0, 2, 4]


def test_changing_frames_stays_on_the_grid() -> None:
    schedule = grid(10)
    for slot in range(4):
        schedule.due(at(slot))
    schedule.use_frames((40,))
    assert schedule.next_slot == 4
    schedule.due(at(4))
    assert schedule.next_slot == 8
    schedule.use_frames((10, 40))
    assert schedule.next_slot == 5


@pytest.mark.parametrize("frame_ms", [10, 20, 40])
def test_a_grid_at_rest_ticks_every_40_ms_and_its_frames_stay_what_they_are(frame_ms: int) -> None:
    schedule = grid(frame_ms)
    schedule.rest(resting=True)
    assert schedule.due(at(0)) is not None
    assert schedule.due(at(3.9)) is None
    assert (schedule.step_ns, schedule.frame_ns) == (at(4) - at(0), frame_ms * NS_PER_MS)


@pytest.mark.parametrize("frame_ms", [10, 20, 40])
def test_after_a_rest_the_next_frame_of_the_rooms_grid_is_mixed(frame_ms: int) -> None:
    schedule = grid(frame_ms)
    schedule.rest(resting=True)
    schedule.due(at(4))
    schedule.rest(resting=False)
    plan = schedule.due(at(4 + frame_ms // 10))
    assert plan is not None
    assert (plan.frame_slot(frame_ms), plan.skipped) == (4 + frame_ms // 10, 0)


def test_a_new_grid_begins_one_slot_ahead() -> None:
    schedule = Schedule.begin(1_000)
    assert schedule.due(1_000) is None
    assert schedule.backsteps == 0
    plan = schedule.due(1_000 + SLOT_NS)
    assert plan is not None
    assert (plan.slot, plan.late_ns) == (0, 0)


def test_frames_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="frame sizes are"):
        Schedule(0, -1).use_frames((30,))


STEP_NS = 2 * SLOT_NS


def late_tick(frames: float, *sizes_ms: int) -> tuple[Schedule, TickPlan]:
    schedule = grid(*(sizes_ms or (20,)))
    assert schedule.due(at(0)) is not None
    plan = schedule.due(at(2 + 2 * frames))
    assert plan is not None
    return schedule, plan


@pytest.mark.parametrize(
    ("frames", "most", "slots"),
    [
        (0.5, 9, [2]),  # late by less than a frame: nothing is owed
        (1.5, 9, [2, 4]),
        (2.5, 9, [2, 4, 6]),
        (10.5, 9, [18, 20, 22]),  # 40 ms of it at most
        (10.5, 1, [20, 22]),
        (10.5, 0, [22]),
    ],
)
def test_of_what_was_missed_the_newest_is_owed(frames: float, most: int, slots: list[int]) -> None:
    _, plan = late_tick(frames)
    parts = plan.parts(STEP_NS, most)
    assert [part.slot for part in parts] == slots
    assert [part.deadline_ns for part in parts] == [at(slot) for slot in slots]
    assert sum(part.skipped for part in parts) == plan.skipped - len(slots) + 1
    assert [part.skipped for part in parts[1:]] == [0] * (len(slots) - 1)


@pytest.mark.parametrize("frame_ms", [10, 20, 40])
@pytest.mark.parametrize("step_ms", [10, 20, 40])
@pytest.mark.parametrize("late_slots", range(40))
def test_the_parts_of_a_tick_hold_each_frame_of_a_room_once(
    frame_ms: int, step_ms: int, late_slots: int
) -> None:
    if frame_ms < step_ms:
        return
    schedule = grid(step_ms, last_slot=3)
    plan = schedule.due(at(4 + late_slots))
    assert plan is not None
    parts = plan.parts(step_ms * NS_PER_MS, 99)
    mixed = [slot for part in parts if (slot := part.frame_slot(frame_ms)) is not None]
    whole = plan.frame_slot(frame_ms)
    assert mixed == sorted(set(mixed))
    assert mixed[-1:] == ([whole] if whole is not None else [])
    missed = sum(part.frames_skipped(frame_ms) for part in parts if part.frame_slot(frame_ms))
    if whole:
        assert missed + len(mixed) == plan.frames_skipped(frame_ms) + 1
