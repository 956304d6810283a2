"""Whatever the clock reads: never early, never twice, nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.core.timing.schedule import SLOT_NS, Schedule
from voiceroom_mixer.core.timing.timers import TimerHeap

readings = st.lists(st.integers(0, 10_000), min_size=1, max_size=60)


@given(st.lists(st.integers(0, 10_000), max_size=60), readings)
def test_timers_fire_once_in_order_and_never_early(deadlines: list[int], clock: list[int]) -> None:
    heap: TimerHeap[int] = TimerHeap()
    for number, deadline in enumerate(deadlines):
        heap.set(deadline, number)
    seen: list[int] = []
    latest = 0
    for reading in clock:
        latest = max(latest, reading)
        for timer in heap.pop_due(reading):
            assert timer.deadline_ns <= latest
            assert timer.late_ns == latest - timer.deadline_ns
            seen.append(timer.payload)
    assert len(seen) == len(set(seen))
    assert set(seen) == {n for n, deadline in enumerate(deadlines) if deadline <= latest}
    assert heap.backsteps == _backsteps(clock)


@given(st.sets(st.integers(0, 2_000)), st.integers(0, 1_000), st.integers(0, 1_000))
def test_a_forward_step_fires_exactly_what_lies_in_it(
    deadlines: set[int], now: int, step: int
) -> None:
    heap: TimerHeap[int] = TimerHeap()
    for deadline in deadlines:
        heap.set(deadline, deadline)
    heap.pop_due(now)
    fired = [timer.payload for timer in heap.pop_due(now + step)]
    assert fired == sorted(d for d in deadlines if now < d <= now + step)


@given(st.sets(st.integers(0, 1_000), min_size=1), st.data())
def test_cancelling_takes_out_just_that_timer(deadlines: set[int], data: st.DataObject) -> None:
    heap: TimerHeap[int] = TimerHeap()
    timers = {deadline: heap.set(deadline, deadline) for deadline in deadlines}
    out = data.draw(st.sets(st.sampled_from(sorted(deadlines))))
    for deadline in out:
        timer = timers[deadline]
        assert timer is not None
        assert heap.cancel(timer)
    assert [t.payload for t in heap.pop_due(1_000)] == sorted(deadlines - out)


@given(
    st.lists(st.integers(-5 * SLOT_NS, 200 * SLOT_NS), min_size=1, max_size=80),
    st.sets(st.sampled_from((10, 20, 40))),
)
def test_ticks_keep_to_the_grid_whatever_the_clock_reads(
    clock: list[int], frames_ms: set[int]
) -> None:
    schedule = Schedule(0, -1)
    schedule.use_frames(frames_ms)
    step = min(frames_ms, default=20) // 10
    latest = -(1 << 62)
    accounted = 0
    for reading in clock:
        latest = max(latest, reading)
        plan = schedule.due(reading)
        if plan is None:
            assert latest < schedule.next_deadline_ns
            continue
        assert plan.slot % step == 0
        assert 0 <= latest - plan.deadline_ns < step * SLOT_NS
        assert plan.previous < plan.slot
        accounted += 1 + plan.skipped
        assert plan.slot == (accounted - 1) * step
    assert schedule.backsteps == _backsteps(clock)


@given(st.lists(st.integers(1, 60 * SLOT_NS), min_size=1, max_size=60))
def test_every_frame_of_every_size_is_mixed_or_counted(pauses: list[int]) -> None:
    schedule = Schedule(0, -1)
    schedule.use_frames((10, 20, 40))
    now = -SLOT_NS
    accounted = {10: 0, 20: 0, 40: 0}
    for pause in pauses:
        now += pause
        plan = schedule.due(now)
        for frame_ms in accounted:
            if plan is None or (slot := plan.frame_slot(frame_ms)) is None:
                continue
            assert now - slot * SLOT_NS < frame_ms * 1_000_000
            accounted[frame_ms] += 1 + plan.frames_skipped(frame_ms)
    for frame_ms, frames in accounted.items():
        assert frames == max(0, now // (frame_ms * 1_000_000) + 1)


def _backsteps(clock: list[int]) -> int:
    latest, count = clock[0], 0
    for reading in clock[1:]:
        count += reading < latest
        latest = max(latest, reading)
    return count
