"""The leaves that measure: each timer backend ticks, a loop is blocked, clocks are skewed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.experiments import backends, blocking, echo, pauses, timerfd
from voiceroom_driftlab.torture.skew import MONOTONIC, WALL, skew
from voiceroom_driftlab.torture.subjects import Log
from voiceroom_mixer.edge import clock


@pytest.mark.parametrize("name", backends.names())
def test_every_backend_ticks_as_often_as_asked(name: str) -> None:
    trace = backends.measure(name, NS_PER_MS, 0.02)
    assert len(trace.ran_ns) == 20
    assert trace.chained == ("chain" in name)


def test_a_thread_that_sleeps_until_the_grid_is_never_early() -> None:
    assert backends.measure(backends.NANOSLEEP, NS_PER_MS, 0.02).late_ns.min() >= 0


def test_another_backend_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(ValueError, match="no timer backend 'sundial': one of asyncio call_later"):
        backends.measure("sundial", NS_PER_MS, 1)


def test_a_timerfd_counts_the_periods_that_nobody_has_read() -> None:
    now_ns = clock.monotonic_ns()
    descriptor = timerfd.open_periodic(now_ns - 3 * NS_PER_S, NS_PER_S)
    try:
        assert timerfd.expired(descriptor) >= 4
        later = timerfd.open_periodic(now_ns + 3_600 * NS_PER_S, NS_PER_S)
        assert timerfd.expired(later) == 0
        os.close(later)
    finally:
        os.close(descriptor)


def test_a_read_in_a_callback_freezes_every_connection_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocking, "BEFORE_S", 0.1)
    monkeypatch.setattr(blocking, "AFTER_S", 0.1)
    found = blocking.spread_of("in a callback", 0.3)
    assert found.frozen == echo.CONNECTIONS
    assert found.timer_late_ms > 250
    assert found.queued_bytes > 0


def test_a_read_in_another_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place 'elsewhere'"):
        blocking.spread_of("elsewhere", 1)


def test_a_heap_is_collected_as_often_as_asked_and_each_pause_is_known() -> None:
    row, watched, seen = pauses.heap_row(1_000, 2, 7)
    assert row.pause_ms.count == len(seen) == 2
    assert all(pause.length_ns > 0 for pause in seen)
    assert len(watched.due_ns) > 0


READ = "import time; print(time.monotonic_ns(), time.clock_gettime_ns(4), time.time_ns())"


@pytest.mark.parametrize(
    ("clocks", "shifted"), [(MONOTONIC, (True, False, False)), (WALL, (False, False, True))]
)
def test_a_program_reads_the_clocks_that_it_is_shown(
    clocks: tuple[int, ...], shifted: tuple[bool, ...]
) -> None:
    hour_ns = 3_600 * NS_PER_S
    with skew() as skewed:
        skewed.set(clocks, hour_ns)
        before = (clock.monotonic_ns(), clock.raw_ns(), clock.wall_ns())
        done = subprocess.run(
            [sys.executable, "-c", READ], env=os.environ | skewed.env, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
    read = [int(text) for text in done.stdout.split()]
    ahead = [a - b > hour_ns // 2 for a, b in zip(read, before, strict=True)]
    assert tuple(ahead) == shifted


def test_a_log_that_is_stuck_takes_nothing_and_then_all() -> None:
    log = Log()
    with log.stuck():
        os.write(log.write, b"begun ")  # may still be taken: a read was waiting already
        os.write(log.write, b"and ended")
    os.close(log.write)
    log.close()
    assert log.words == b"begun and ended"
