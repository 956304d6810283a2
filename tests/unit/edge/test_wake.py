"""Both ways to sleep, and the CPUs of a thread, on the real kernel."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest

from fakes.arithmetic import compiled
from voiceroom_mixer.edge import clock, cpus, wake
from voiceroom_mixer.edge.wake import Doze, SleepUntil
from voiceroom_mixer.native import library

AFFINITY = """
import os
import socket
from voiceroom_mixer.edge import cpus
begun = sorted(os.sched_getaffinity(0))
allowed = cpus.AllowedCpus()
assert sorted(os.sched_getaffinity(0)) == begun
last = begun[-1]
assert cpus.pin(last) and cpus.here() == last
print(begun, list(allowed.look()), cpus.pin(1023))
"""


@pytest.fixture(params=["twin", "compiled"])
def sleep(request: pytest.FixtureRequest) -> SleepUntil:
    if request.param == "twin":
        return wake.twin
    compiled()  # or the test is skipped
    kernels = library.load().library
    assert kernels is not None
    return wake.compiled(kernels)


def test_it_wakes_at_the_deadline_or_later_and_says_when(sleep: SleepUntil) -> None:
    deadline_ns = clock.monotonic_ns() + 2_000_000
    woke_ns = sleep(deadline_ns)
    assert deadline_ns <= woke_ns <= clock.monotonic_ns()


def test_a_deadline_that_has_passed_is_over_at_once(sleep: SleepUntil) -> None:
    before_ns = clock.monotonic_ns()
    assert before_ns <= sleep(before_ns - 1_000_000_000) <= clock.monotonic_ns()


def test_a_deadline_that_is_none_is_an_error() -> None:
    compiled()
    kernels = library.load().library
    assert kernels is not None
    with pytest.raises(OSError, match="clock_nanosleep"):
        wake.compiled(kernels)(-5_000_000_001)


def affinity(*prefix: str) -> str:
    command = [*prefix, sys.executable, "-c", AFFINITY]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_pinned_thread_still_finds_all_that_it_may_use() -> None:
    own = sorted(os.sched_getaffinity(0))
    assert affinity() == f"{own} {own} False"


def test_who_was_narrowed_stays_so() -> None:
    cpu = min(os.sched_getaffinity(0))
    assert affinity("taskset", "-c", str(cpu)) == f"[{cpu}] [{cpu}] False"


def test_a_cpu_that_is_not_there_is_refused() -> None:
    assert not cpus.pin(1023)


@pytest.fixture(params=["twin", "compiled"])
def doze(request: pytest.FixtureRequest) -> Callable[[int], Doze]:
    if request.param == "twin":
        return wake.doze_twin
    compiled()
    kernels = library.load().library
    assert kernels is not None
    return partial(wake.compiled_doze, kernels)


def test_a_doze_ends_at_the_deadline_and_says_whether_anything_waits(
    doze: Callable[[int], Doze],
) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        sleep = doze(here.fileno())
        deadline_ns = clock.monotonic_ns() + 2_000_000
        assert not sleep(deadline_ns)
        assert clock.monotonic_ns() >= deadline_ns
        there.send(b"x")
        assert sleep(clock.monotonic_ns())
        assert sleep(clock.monotonic_ns()), "it takes nothing"
