"""Falsified readings of this process's clocks, and the truth beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.chaos import Injection
from voiceroom_mixer.core.timing.detect.clocks import ClockWatch
from voiceroom_mixer.edge import clock, skew
from voiceroom_mixer.edge.clockround import round_reader

DAY_NS = 86_400 * NS_PER_S
"""No machine is so slow that a reading and the next are a day apart."""
NEAR_NS = DAY_NS // 2


@pytest.fixture(autouse=True)
def _own_readings_afterwards() -> Iterator[None]:
    yield
    skew.take_off()


def step(lasts_ns: int = DAY_NS, **parts: Any) -> Injection:
    now_ns = clock.true_ns()
    return Injection("i1", "step", now_ns, now_ns + lasts_ns, offset_ns=DAY_NS, **parts)


def test_only_the_reading_that_was_named_is_ahead_and_the_truth_is_not() -> None:
    skew.put_on(step(DAY_NS * 2, clock="raw"))
    assert clock.raw_ns() - clock.syscall_raw_ns() > NEAR_NS
    assert clock.monotonic_ns() - clock.syscall_monotonic_ns() < NEAR_NS
    skew.put_on(step(DAY_NS * 2))
    assert clock.monotonic_ns() - clock.true_ns() > NEAR_NS
    assert clock.raw_ns() - clock.syscall_raw_ns() < NEAR_NS


def test_who_keeps_a_reading_sees_it_too() -> None:
    kept = clock.current_monotonic_ns
    skew.put_on(step(DAY_NS * 2))
    assert kept() - clock.true_ns() > NEAR_NS


def test_the_readings_are_right_after_the_deadline_though_nobody_takes_it_off() -> None:
    skew.put_on(step(lasts_ns=0))
    assert clock.monotonic_ns() - clock.true_ns() < NEAR_NS


def test_taken_off_the_readings_are_the_clocks_own_functions() -> None:
    skew.put_on(step())
    skew.take_off()
    assert (clock.monotonic_ns, clock.raw_ns, clock.boottime_ns) == clock.UNTOUCHED


@pytest.mark.skipif(not clock.has_syscall_clock(), reason="there is no truth channel here")
def test_the_detectors_see_it_through_the_clocks_that_they_always_read() -> None:
    read, watch = round_reader(), ClockWatch()
    rounds = [read()]
    skew.put_on(step(DAY_NS * 2))
    rounds.append(read())
    # a preempted bracket would be left out, which is not what is tested here
    said = [watch.take(one._replace(width_ns=1_000)) for one in rounds]
    assert said[1] is not None
    assert said[1].kind == "step-one"
    assert said[1].evidence[0].value > NEAR_NS / 1e6
