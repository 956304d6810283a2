"""Loop lag on an absolute schedule, stalls counted once, stacks that name the culprit."""

from __future__ import annotations

import logging
import threading

import pytest

from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.locks import MeteredLock
from voiceroom_mixer.control.watchdog import (
    PROBE_NS,
    LoopProbe,
    StallDetector,
    Watchdog,
    all_stacks,
)

MS = 1_000_000


def test_lag_is_measured_against_the_schedule_and_missed_probes_are_skipped() -> None:
    numbers = Numbers()
    probe = LoopProbe(numbers, 0)
    for now_ns in (PROBE_NS, 2 * PROBE_NS + 3 * MS, 9 * PROBE_NS, 10 * PROBE_NS):
        probe.beat(now_ns)
    histogram = numbers.histograms("voiceroom_loop_lag_seconds")[()]
    assert sum(histogram.buckets) == 4
    assert histogram.sum == pytest.approx(0.003 + 6 * PROBE_NS / 1e9)


def test_a_stall_counts_once_and_stacks_come_at_a_bounded_rate() -> None:
    detector = StallDetector()
    assert not detector.look(0, 200 * MS)
    assert detector.look(0, 201 * MS)
    assert not detector.look(0, 900 * MS)
    assert not detector.look(1000 * MS, 1300 * MS)
    assert detector.stalls == 2
    assert detector.look(20_000 * MS, 20_300 * MS)
    assert detector.stalls == 3


def test_the_watchdog_dumps_the_stack_of_a_loop_that_stands_still() -> None:
    dumped = threading.Event()
    lines: list[str] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())
            dumped.set()

    handler = Noting()
    logging.getLogger("voiceroom_mixer.control.watchdog").addHandler(handler)
    seen: list[int] = []
    watchdog = Watchdog(LoopProbe(Numbers(), 0), lambda: 1_000 * MS, seen.append)
    watchdog.start()
    assert dumped.wait(10)  # this very line is what stands still
    watchdog.stop()
    logging.getLogger("voiceroom_mixer.control.watchdog").removeHandler(handler)
    assert set(seen) == {1_000 * MS}
    assert watchdog.stalls == 1
    assert "test_the_watchdog_dumps" in lines[0]


def test_all_stacks_name_their_threads() -> None:
    (name,) = [name for name in all_stacks() if name.startswith("MainThread")]
    assert "test_all_stacks" in all_stacks()[name]


def test_a_lock_tells_how_long_it_was_waited_for() -> None:
    began = threading.Event()
    readings = iter((100, 350))

    def now_ns() -> int:
        began.set()
        return next(readings)

    lock = MeteredLock(now_ns)

    def wait_for_it() -> None:
        with lock:
            pass

    waiting = threading.Thread(target=wait_for_it)
    with lock:
        waiting.start()
        assert began.wait(10)
    waiting.join()
    assert lock.waited_ns == 250


def test_a_free_lock_reads_no_clock() -> None:
    lock = MeteredLock(lambda: pytest.fail("the clock was read"))
    with lock:
        assert lock.waited_ns == 0
