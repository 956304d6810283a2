"""The high-resolution timer on scripted clocks, and once on the real ones."""

from __future__ import annotations

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.hires import HighResTimer

READ_COST_NS = 100


class Clocks:
    """A monotonic clock that moves by the cost of each reading, and RAW beside it."""

    def __init__(self, raw_ppm: float = 0.0, raw_offset_ns: int = 5_000) -> None:
        self.now_ns = 10 * NS_PER_S
        self.step_ns = 0
        self._raw_ppm, self._raw_offset_ns = raw_ppm, raw_offset_ns
        self.readings = 0

    def monotonic(self) -> int:
        self.now_ns += READ_COST_NS
        self.readings += 1
        return self.now_ns

    def raw_at(self, mono_ns: int) -> int:
        return mono_ns + self._raw_offset_ns + self.step_ns + round(mono_ns * self._raw_ppm / 1e6)

    def raw(self) -> int:
        return self.raw_at(self.monotonic())

    def timer(self) -> HighResTimer:
        return HighResTimer({"raw": self.raw}, self.monotonic)

    def ticks(self, timer: HighResTimer, count: int, budget_ns: int = NS_PER_MS) -> int:
        renewed = 0
        for _ in range(count):
            self.now_ns += 20 * NS_PER_MS
            renewed += timer.step(budget_ns)
        return renewed


def test_the_map_to_raw_holds_from_the_start() -> None:
    clocks = Clocks(raw_offset_ns=-302_000_000)
    timer = clocks.timer()
    assert timer.calibration().epoch == 1
    assert timer.calibration().raw_of(clocks.now_ns) == pytest.approx(
        clocks.raw_at(clocks.now_ns), abs=200
    )


def test_it_is_renewed_every_five_seconds() -> None:
    clocks = Clocks()
    timer = clocks.timer()
    assert clocks.ticks(timer, 500) == 2
    assert timer.calibration().epoch == 3


def test_the_rate_comes_out_of_spare_moments() -> None:
    clocks = Clocks(raw_ppm=20.0)
    timer = clocks.timer()
    clocks.ticks(timer, 3_100)
    assert dict(timer.calibration().pairs)["raw/monotonic"].ppm == pytest.approx(20, abs=0.05)
    now = clocks.now_ns
    assert timer.now_ns() == pytest.approx(clocks.raw_at(now + READ_COST_NS), abs=200)


def test_a_window_takes_about_two_hundred_rounds() -> None:
    clocks = Clocks()
    timer = clocks.timer()
    before = clocks.readings
    clocks.ticks(timer, 250)
    rounds = (clocks.readings - before - 250) / 4
    assert rounds == pytest.approx(200, abs=3)


def test_without_spare_time_nothing_is_read() -> None:
    clocks = Clocks()
    timer = clocks.timer()
    before = clocks.readings
    clocks.ticks(timer, 100, budget_ns=0)
    assert clocks.readings - before == 100


def test_a_long_pause_is_not_made_up_for() -> None:
    clocks = Clocks()
    timer = clocks.timer()
    clocks.now_ns += 600 * NS_PER_S
    before = clocks.readings
    timer.step(NS_PER_MS)
    assert clocks.readings - before < 1_000
    before = clocks.readings
    clocks.ticks(timer, 10)
    assert clocks.readings - before < 100


def test_a_step_is_seen_within_a_few_ticks() -> None:
    clocks = Clocks()
    timer = clocks.timer()
    clocks.ticks(timer, 10)
    assert timer.steps_seen == 0
    clocks.step_ns = 50 * NS_PER_MS
    clocks.ticks(timer, 2)
    assert timer.steps_seen == 1


def test_on_this_machine_every_pair_is_there_and_raw_maps_both_ways() -> None:
    timer = HighResTimer()
    names = [name for name, _ in timer.calibration().pairs]
    assert names[:3] == ["raw/monotonic", "boottime/monotonic", "realtime/monotonic"]
    assert names[-1] == "sleep/monotonic"
    before = clock.raw_ns()
    deadline_raw = timer.now_ns() + 2 * NS_PER_MS
    timer.sleep_until(deadline_raw)
    # A rate of up to 500 ppm over the 2 ms, and the bracket's own width, are allowed for.
    assert clock.raw_ns() >= deadline_raw - 50_000
    assert clock.raw_ns() > before
