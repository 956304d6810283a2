"""The one reader of clocks, against the kernel itself."""

from __future__ import annotations

import itertools
import signal
import time

import pytest

from voiceroom_mixer.edge import clock

truth = pytest.mark.skipif(not clock.has_syscall_clock(), reason="no truth channel here")


@truth
def test_a_reading_lies_between_two_of_the_kernel() -> None:
    """The pass rule is containment; how wide the bracket was is only reported."""
    widths = []
    for _ in range(2_000):
        before = clock.syscall_monotonic_ns()
        reading = clock.monotonic_ns()
        after = clock.syscall_monotonic_ns()
        assert before <= reading <= after
        widths.append(after - before)
    print(f"bracket: min {min(widths)} ns, max {max(widths)} ns")


@truth
def test_the_kernel_lies_between_two_readings() -> None:
    for read, kernel in (
        (clock.monotonic_ns, clock.syscall_monotonic_ns),
        (clock.raw_ns, clock.syscall_raw_ns),
    ):
        for _ in range(500):
            before, truth_ns, after = read(), kernel(), read()
            assert before <= truth_ns <= after


def test_an_unknown_clock_is_an_error_that_says_which() -> None:
    with pytest.raises(OSError, match=r"clock_gettime\(99\)"):
        clock.syscall_ns(99)


@pytest.mark.parametrize("read", [clock.monotonic_ns, clock.raw_ns, clock.boottime_ns])
def test_steady_clocks_never_go_back(read: clock.Clock) -> None:
    readings = [read() for _ in range(5_000)]
    assert all(a <= b for a, b in itertools.pairwise(readings))


def test_a_sample_holds_all_three_clocks_of_one_moment() -> None:
    before = clock.monotonic_ns(), clock.raw_ns(), clock.wall_ns()
    taken = clock.sample()
    after = clock.monotonic_ns(), clock.raw_ns(), clock.wall_ns()
    for low, value, high in zip(before, (taken.mono, taken.raw, taken.wall), after, strict=True):
        assert low <= value <= high
    assert 0 <= taken.width <= after[0] - before[0]


def test_more_attempts_never_widen_the_bracket_of_the_narrowest() -> None:
    assert clock.sample(300).width <= max(clock.sample(1).width for _ in range(20))


def test_a_sleep_ends_at_its_deadline_and_not_before() -> None:
    for ahead_ns in (1_000, 500_000, 3_000_000):
        deadline = clock.monotonic_ns() + ahead_ns
        clock.sleep_until(deadline)
        assert clock.monotonic_ns() >= deadline


@pytest.mark.parametrize("deadline", [-1, 0, 1])
def test_a_deadline_that_has_passed_returns(deadline: int) -> None:
    clock.sleep_until(deadline)


def test_a_signal_does_not_end_the_sleep() -> None:
    heard: list[int] = []
    previous = signal.signal(signal.SIGALRM, lambda number, _frame: heard.append(number))
    remaining = signal.setitimer(signal.ITIMER_REAL, 0.002)
    try:
        deadline = clock.monotonic_ns() + 8_000_000
        clock.sleep_until(deadline)
        assert clock.monotonic_ns() >= deadline
    finally:
        signal.setitimer(signal.ITIMER_REAL, *remaining)
        signal.signal(signal.SIGALRM, previous)
    assert heard == [signal.SIGALRM]


def test_cpu_time_counts_work_of_this_thread() -> None:
    thread, process = clock.thread_cpu_ns(), clock.process_cpu_ns()
    sum(range(100_000))
    assert clock.thread_cpu_ns() > thread
    assert clock.process_cpu_ns() > process


def test_wall_time_is_read_afresh() -> None:
    before = time.time_ns()
    assert before <= clock.wall_ns() <= time.time_ns()
