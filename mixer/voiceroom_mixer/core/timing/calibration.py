"""How the clocks run against each other: rates, steps, and the map from MONOTONIC to RAW.

Every reference is a series of offsets "reference minus CLOCK_MONOTONIC", each taken in a bracket
of two monotonic readings. In windows of 5 s the narrowest bracket of about 200 is kept; the rate
is the Theil-Sen slope over the last 12 windows (a minute), which no single bad window can bend.

References that can truly disagree: RAW (not slewed by NTP), BOOTTIME (counts suspension),
REALTIME (stepped), the system call (past the vDSO), and the kernel's sleep: the least lateness of
absolute sleeps in a window must stay where it is, however the readings were tampered with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import combinations
from statistics import median
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_MS, NS_PER_S

WINDOW_NS: Final = 5 * NS_PER_S
WINDOWS: Final = 12
READINGS_PER_WINDOW: Final = 200
STEP_FLOOR_NS: Final = 50_000
MAX_SLEW_PPM: Final = 1_000
"""Twice what NTP may slew by: an offset that moves faster has been stepped."""
MAX_WIDTH_NS: Final = 20_000
"""A bracket wider than this was preempted and tells nothing."""
SLEEP_STEP_NS: Final = 5 * NS_PER_MS
"""A change of the least sleep lateness from window to window beyond this is no scheduling noise."""


class Reading(NamedTuple):
    """One offset of a reference against CLOCK_MONOTONIC, in ns."""

    mono_ns: int
    offset_ns: int
    width_ns: int


class PairRate(NamedTuple):
    """What is known of one reference against CLOCK_MONOTONIC."""

    ppm: float
    """Rate minus one, in parts per million; 0 until there are two windows."""
    windows: int
    """Windows that the rate stands on, 0..12."""
    steps: int
    step_total_ns: int
    """Sum of the sizes of all steps."""
    width_ns: int
    """Of the newest kept bracket."""


class Calibration(NamedTuple):
    """CLOCK_MONOTONIC_RAW as a line over CLOCK_MONOTONIC, and all pairs. Immutable: replaced whole.

    ``raw = mono + offset_ns + slope * (mono - mono_ns)``
    """

    epoch: int
    """How often it has been renewed; 0: not yet calibrated, the map is the identity."""
    mono_ns: int
    offset_ns: int
    slope: float
    pairs: tuple[tuple[str, PairRate], ...]

    def raw_of(self, mono_ns: int) -> int:
        """The RAW time at ``mono_ns``."""
        return mono_ns + self.offset_ns + round(self.slope * (mono_ns - self.mono_ns))

    def mono_of(self, raw_ns: int) -> int:
        """The MONOTONIC time at ``raw_ns``: what to sleep until for a deadline on RAW."""
        beyond = raw_ns - self.mono_ns - self.offset_ns
        return self.mono_ns + round(beyond / (1.0 + self.slope))


UNCALIBRATED: Final = Calibration(0, 0, 0, 0.0, ())


def theil_sen(points: Iterable[tuple[int, int]]) -> float:
    """The median of the slopes between all pairs of (x, y); 0 with fewer than two distinct x."""
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in combinations(points, 2) if x1 != x0]
    return median(slopes) if slopes else 0.0


class PairSeries:
    """One reference: finds steps between readings, keeps a reading per window, fits the rate."""

    def __init__(
        self, step_floor_ns: int = STEP_FLOOR_NS, max_width_ns: int = MAX_WIDTH_NS
    ) -> None:
        self._step_floor_ns = step_floor_ns
        self._max_width_ns = max_width_ns
        self._kept: deque[tuple[int, int]] = deque(maxlen=WINDOWS)
        self._best: Reading | None = None
        self._latest: Reading | None = None
        self._shift_ns = 0
        self._width_ns = 0
        self.steps = 0
        self.step_total_ns = 0
        self.discarded = 0
        """Readings whose bracket was too wide."""

    def add(self, reading: Reading) -> int:
        """Take a reading in; the signed step in ns since the one before, 0 when there was none."""
        if reading.width_ns > self._max_width_ns:
            self.discarded += 1
            return 0
        step = self._step_since(self._latest, reading)
        if step:
            self.steps += 1
            self.step_total_ns += abs(step)
            self._shift_ns += step
            self._best = None
        self._latest = reading
        if self._best is None or reading.width_ns < self._best.width_ns:
            self._best = reading
        return step

    def _step_since(self, before: Reading | None, now: Reading) -> int:
        if before is None:
            return 0
        slewed_ns = abs(now.mono_ns - before.mono_ns) * MAX_SLEW_PPM // 1_000_000
        noise_ns = before.width_ns + now.width_ns
        moved = now.offset_ns - before.offset_ns
        return moved if abs(moved) > self._step_floor_ns + noise_ns + slewed_ns else 0

    def close_window(self) -> None:
        """Keep the window's narrowest reading, without the steps so far, for the rate."""
        if self._best is not None:
            self._kept.append((self._best.mono_ns, self._best.offset_ns - self._shift_ns))
            self._width_ns = self._best.width_ns
        self._best = None

    def rate(self) -> PairRate:
        """The rate over the kept windows."""
        ppm = theil_sen(self._kept) * 1e6
        return PairRate(ppm, len(self._kept), self.steps, self.step_total_ns, self._width_ns)

    def line(self, mono_ns: int) -> tuple[int, float]:
        """The fitted offset at ``mono_ns`` in ns, steps included, and its slope."""
        slope = theil_sen(self._kept)
        offsets = [y - slope * (x - mono_ns) for x, y in self._kept]
        return (round(median(offsets)) if offsets else 0) + self._shift_ns, slope


class Calibrator:
    """All references of one process; renews the ``Calibration`` at the end of each window."""

    def __init__(
        self, references: Iterable[str], *, raw: str = "raw", sleep: str = "sleep"
    ) -> None:
        """``references`` name the clocks that are read; ``raw`` must be one of them."""
        self.series = {name: PairSeries() for name in references}
        self._raw = raw
        self._sleep = sleep
        # Its "bracket" is the scheduler's noise, which the least of a window takes out.
        self.series[sleep] = PairSeries(SLEEP_STEP_NS, WINDOW_NS)
        self._least_sleep: tuple[int, int] | None = None
        self._window_end_ns: int | None = None
        self.calibration = UNCALIBRATED

    def add(self, name: str, reading: Reading) -> int:
        """A bracketed reading of reference ``name``; the step that it shows, in ns."""
        return self.series[name].add(reading)

    def add_sleep(self, deadline_mono_ns: int, woke_mono_ns: int) -> None:
        """The outcome of one absolute sleep that was begun before its deadline."""
        late_ns = woke_mono_ns - deadline_mono_ns
        if self._least_sleep is None or late_ns < self._least_sleep[1]:
            self._least_sleep = (woke_mono_ns, late_ns)

    def advance(self, now_mono_ns: int) -> bool:
        """Close the window when its time has come; True when ``calibration`` was renewed."""
        if self._window_end_ns is None:
            self._window_end_ns = now_mono_ns + WINDOW_NS
        if now_mono_ns < self._window_end_ns:
            return False
        self.close(now_mono_ns)
        return True

    def close(self, now_mono_ns: int) -> None:
        """Close the window now and renew ``calibration``; the next one begins."""
        self._window_end_ns = now_mono_ns + WINDOW_NS
        self._close_sleep()
        for series in self.series.values():
            series.close_window()
        self.calibration = self._renewed(now_mono_ns)

    def _close_sleep(self) -> None:
        if self._least_sleep is not None:
            woke_ns, late_ns = self._least_sleep
            self.series[self._sleep].add(Reading(woke_ns, -late_ns, 0))
        self._least_sleep = None

    def _renewed(self, now_ns: int) -> Calibration:
        offset_ns, slope = self.series[self._raw].line(now_ns)
        pairs = tuple((f"{name}/monotonic", s.rate()) for name, s in self.series.items())
        return Calibration(self.calibration.epoch + 1, now_ns, offset_ns, slope, pairs)
