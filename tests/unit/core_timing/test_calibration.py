"""Rates and steps between clocks, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.timing.calibration import (
    UNCALIBRATED,
    Calibration,
    Calibrator,
    PairRate,
    Reading,
    theil_sen,
)

TICK_NS = 20 * NS_PER_MS


@dataclass
class World:
    """True time, a monotonic clock read off it, and the references beside."""

    mono_ppm: float = 0.0
    raw_ppm: float = 0.0
    raw_offset_ns: int = -302_000_000
    true_ns: int = 1_000 * NS_PER_S
    mono_step_ns: int = 0
    seed: int = 1
    calibrator: Calibrator = field(default_factory=lambda: Calibrator(("raw", "syscall")))

    def __post_init__(self) -> None:
        self._noise = np.random.default_rng(self.seed)
        self._begin_ns = self.true_ns

    def mono(self) -> int:
        passed = self.true_ns - self._begin_ns
        return self.true_ns + round(passed * self.mono_ppm / 1e6) + self.mono_step_ns

    def _read(self, name: str, value: int) -> int:
        width = 200 + int(self._noise.exponential(300))
        error = int(self._noise.integers(-width // 2, width // 2))
        return self.calibrator.add(name, Reading(self.mono(), value - self.mono() + error, width))

    def tick(self) -> int:
        """20 ms: one reading of each reference and one sleep; the sum of the steps seen."""
        self.true_ns += TICK_NS
        passed = self.true_ns - self._begin_ns
        raw = self.true_ns + self.raw_offset_ns + round(passed * self.raw_ppm / 1e6)
        steps = self._read("raw", raw) + self._read("syscall", self.true_ns)
        # The kernel wakes by its own time, and late; what it is compared with is the reading.
        late = 80_000 + int(self._noise.exponential(100_000))
        self.calibrator.add_sleep(self.true_ns, self.mono() + late)
        self.calibrator.advance(self.mono())
        return steps

    def run(self, seconds: float) -> Calibration:
        for _ in range(round(seconds * NS_PER_S / TICK_NS)):
            self.tick()
        return self.calibrator.calibration

    def pair(self, name: str) -> PairRate:
        return dict(self.calibrator.calibration.pairs)[f"{name}/monotonic"]


def test_clocks_that_agree_show_no_rate_and_no_step() -> None:
    world = World()
    world.run(70)
    for name in ("raw", "syscall", "sleep"):
        assert world.pair(name).ppm == pytest.approx(0, abs=0.5)
        assert world.pair(name).steps == 0
    assert world.pair("raw").windows == 12


def test_a_slewed_monotonic_clock_shows_against_raw_within_a_tenth_ppm() -> None:
    world = World(mono_ppm=37.0)
    world.run(70)
    assert world.pair("raw").ppm == pytest.approx(-37, abs=0.1)


def test_the_map_to_raw_and_back() -> None:
    world = World(mono_ppm=-50.0, raw_offset_ns=12_345_678)
    found = world.run(70)
    raw = world.true_ns + world.raw_offset_ns
    assert found.raw_of(world.mono()) == pytest.approx(raw, abs=300)
    assert found.mono_of(raw) == pytest.approx(world.mono(), abs=300)
    later = world.mono() + 10 * NS_PER_S
    assert found.mono_of(found.raw_of(later)) == pytest.approx(later, abs=2)


def test_before_the_first_window_the_map_is_the_identity() -> None:
    assert UNCALIBRATED.raw_of(77) == 77
    assert UNCALIBRATED.mono_of(77) == 77
    assert UNCALIBRATED.epoch == 0


def test_a_step_is_seen_at_the_next_reading_and_does_not_bend_the_rate() -> None:
    world = World()
    world.run(31)
    world.mono_step_ns = 50 * NS_PER_MS
    assert world.tick() == pytest.approx(-100 * NS_PER_MS, abs=2_000)  # both references
    world.run(40)
    pair = world.pair("raw")
    assert pair.steps == 1
    assert pair.step_total_ns == pytest.approx(50 * NS_PER_MS, abs=2_000)
    assert pair.ppm == pytest.approx(0, abs=0.5)
    raw = world.true_ns + world.raw_offset_ns
    assert world.calibrator.calibration.raw_of(world.mono()) == pytest.approx(raw, abs=500)


def test_ntp_slewing_at_full_speed_is_a_rate_and_no_step() -> None:
    world = World(mono_ppm=500.0)
    world.run(70)
    assert world.pair("raw").steps == 0
    assert world.pair("raw").ppm == pytest.approx(-500, abs=0.5)


def test_when_every_reading_is_tampered_with_the_sleeps_tell() -> None:
    """All readings step together, syscall included: only the kernel's sleep knows."""
    world = World()
    world.run(31)
    calibrator = world.calibrator
    offset = 50 * NS_PER_MS
    for _ in range(600):
        world.true_ns += TICK_NS
        faked = world.true_ns + offset
        for name, base in (("raw", world.raw_offset_ns), ("syscall", 0)):
            calibrator.add(name, Reading(faked, base, 300))
        calibrator.add_sleep(world.true_ns, faked + 100_000)
        calibrator.advance(faked)
    assert world.pair("raw").steps == world.pair("syscall").steps == 0
    assert world.pair("sleep").steps == 1
    assert world.pair("sleep").step_total_ns == pytest.approx(offset, rel=0.05)


def test_readings_that_run_fast_show_against_the_sleeps() -> None:
    world = World()
    world.calibrator = Calibrator(("raw",))
    for tick in range(3_500):
        world.true_ns += TICK_NS
        faked = world.true_ns + tick * TICK_NS * 500 // 1_000_000
        world.calibrator.add("raw", Reading(faked, 0, 300))
        world.calibrator.add_sleep(world.true_ns, faked + 100_000)
        world.calibrator.advance(faked)
    assert world.pair("raw").ppm == 0
    assert world.pair("sleep").ppm == pytest.approx(-500, rel=0.02)


def test_a_preempted_bracket_tells_nothing() -> None:
    world = World()
    world.run(10)
    series = world.calibrator.series["raw"]
    assert series.add(Reading(world.mono(), 7 * NS_PER_S, 3 * NS_PER_MS)) == 0
    assert series.discarded == 1
    assert series.steps == 0


def test_a_calibration_is_replaced_whole() -> None:
    world = World()
    first = world.run(5.1)
    world.run(5.1)
    assert first.epoch == 1
    assert world.calibrator.calibration.epoch == 2
    assert first.pairs[0][1].windows == 1


def test_one_bad_window_in_five_does_not_bend_theil_sen() -> None:
    points = [(x, 3 * x) for x in range(10)]
    points[4] = (4, 1_000_000)
    points[7] = (7, -1_000_000)
    assert theil_sen(points) == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize("points", [[], [(1, 5)], [(1, 5), (1, 9)]])
def test_too_little_gives_no_slope(points: list[tuple[int, int]]) -> None:
    assert theil_sen(points) == 0.0
