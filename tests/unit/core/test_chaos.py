"""Injected faults as values, and what the detectors make of them, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.chaos import Injection
from voiceroom_mixer.core.timing.detect.clocks import ClockWatch
from voiceroom_mixer.core.timing.detect.observations import ClockRound

BEGAN = 1_000 * NS_PER_S
MS = NS_PER_MS


def injection(kind: Any, **parts: Any) -> Injection:
    """For ten seconds."""
    return Injection("i1", kind, BEGAN, BEGAN + 10 * NS_PER_S, **parts)


def ahead_ms(one: Injection, *at_s: float) -> list[float]:
    return [one.ahead_ns(BEGAN + int(s * NS_PER_S)) / MS for s in at_s]


def test_a_step_is_there_whole_from_its_beginning_to_its_deadline() -> None:
    step = injection("step", offset_ns=50 * MS)
    assert ahead_ms(step, -0.001, 0, 5, 9.999, 10, 11) == [0, 50, 50, 50, 0, 0]


def test_a_saw_climbs_in_each_period_and_falls_back() -> None:
    saw = injection("saw", offset_ns=-40 * MS, period_ns=2 * NS_PER_S)
    assert ahead_ms(saw, 0, 0.5, 1.5, 2, 3, 10) == [0, -10, -30, 0, -20, 0]


def test_a_rate_adds_up() -> None:
    assert ahead_ms(injection("rate", ppm=500.0), 0, 1, 8, 10) == [0, 0.5, 4, 0]


def test_a_freeze_leaves_the_clocks_alone_and_stops_at_the_end_of_each_period() -> None:
    freeze = injection("freeze", stop_ns=200 * MS, period_ns=NS_PER_S)
    assert ahead_ms(freeze, 0, 5) == [0, 0]
    assert not freeze.moves("monotonic")
    times = [BEGAN + int(s * NS_PER_S) for s in (0, 0.99, 1, 1.99, 2)]
    assert [freeze.stops_until(at) for at in times] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("target", "moved"),
    [
        ("monotonic", [True, False, False]),
        ("raw", [False, True, False]),
        ("boottime", [False, False, True]),
        ("all", [True, True, True]),
    ],
)
def test_only_the_clocks_that_were_named_are_moved(target: Any, moved: list[bool]) -> None:
    step = injection("step", clock=target, offset_ns=MS)
    assert [step.moves("monotonic"), step.moves("raw"), step.moves("boottime")] == moved


def test_what_is_left_of_it() -> None:
    step = injection("step", offset_ns=MS)
    assert [step.left_ns(BEGAN + s * NS_PER_S) for s in (-1, 0, 9, 10)] == [
        *(0, 10 * NS_PER_S, NS_PER_S, 0),
    ]


def test_its_row_gives_it_back() -> None:
    saw = injection("saw", clock="all", offset_ns=7, period_ns=9, by="ana")
    assert Injection.from_bytes(saw.to_bytes()) == saw


class World:
    """Clocks that an injection falsifies, looked at once a tick; the kernel's stay true."""

    def __init__(self, one: Injection) -> None:
        self.one, self.watch = one, ClockWatch()

    def said(self, begin_s: float, end_s: float) -> list[tuple[float, str]]:
        """Seconds since the beginning, and the kind."""
        claims: list[tuple[float, str]] = []
        for tick in range(int(begin_s * 50), int(end_s * 50)):
            true = BEGAN + tick * 20 * MS
            claim = self.watch.take(self._round(true))
            if claim is not None:
                claims.append((tick / 50, claim.kind))
        return claims

    def _round(self, true: int) -> ClockRound:
        ahead = self.one.ahead_ns(true)
        mono, raw, boot = (
            true + (ahead if self.one.moves(name) else 0)
            for name in ("monotonic", "raw", "boottime")
        )
        return ClockRound(mono, 3_000, raw - mono, boot - mono, (true - mono,) * 3)


@pytest.mark.parametrize("clock", ["monotonic", "raw", "boottime"])
def test_a_step_of_one_reading_is_named_at_its_beginning_and_at_its_end(clock: Any) -> None:
    world = World(injection("step", clock=clock, offset_ns=50 * MS))
    assert world.said(-2, 20) == [(0, "step-one"), (10, "step-one")]
    assert world.watch.shift_ns == 0, "the readings are right again"


def test_a_step_of_all_readings_is_named_so() -> None:
    world = World(injection("step", clock="all", offset_ns=50 * MS))
    assert world.said(-2, 20) == [(0, "step-all"), (10, "step-all")]


def test_a_rate_is_named_while_it_lasts() -> None:
    kinds = World(injection("rate", ppm=500.0)).said(-10, 9.9)
    assert kinds
    assert {kind for _, kind in kinds} == {"rate"}


def test_the_teeth_of_a_saw_are_steps() -> None:
    world = World(injection("saw", offset_ns=50 * MS, period_ns=NS_PER_S))
    found = [at for at, kind in world.said(-2, 5.5) if kind == "step-one"]
    assert found == [1, 2, 3, 4, 5]
