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


def test_a_doze_in_which_nothing_comes_ends_with_its_last_look(
    doze: Callable[[int], Doze],
) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        first_ns = clock.monotonic_ns() + 1_000_000
        last_ns = first_ns + 2_000_000
        assert not doze(here.fileno())(first_ns, 1_000_000, last_ns)
        assert clock.monotonic_ns() >= last_ns


def test_a_doze_ends_at_the_look_that_finds_something_and_takes_nothing(
    doze: Callable[[int], Doze],
) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        there.send(b"x")
        now_ns = clock.monotonic_ns()
        far_ns = now_ns + 3_600_000_000_000
        assert doze(here.fileno())(now_ns, far_ns - now_ns, far_ns)
        assert here.recv(1, socket.MSG_DONTWAIT) == b"x"
