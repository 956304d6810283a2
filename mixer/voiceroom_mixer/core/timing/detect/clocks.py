"""Steps and wrong rates of the clock readings, against the kernel's own word.

A reading of CLOCK_MONOTONIC by the vDSO and one by system call are the same clock, whatever NTP
does to it: their difference may neither step nor have a slope. A constant one (a time namespace,
the offset between two clocks) is never looked at.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.observations import ClockRound
from voiceroom_mixer.core.timing.detect.slope import slope_ppm
from voiceroom_mixer.core.timing.detect.verdicts import Claim, Evidence, Kind, ms

_NAMES: Final = ("monotonic", "raw", "boottime")
_SAME: Final = 0.2
"""Steps of several clocks within this share of each other are one step of all."""


class _Rate:
    """The slope of one difference: a point a second, from the narrowest bracket."""

    __slots__ = ("_best", "_end_ns", "over", "points", "ppm")

    def __init__(self) -> None:
        self.points: deque[tuple[int, int]] = deque(maxlen=matrix.RATE_POINTS)
        self._best: tuple[int, int, int] | None = None
        self._end_ns = 0
        self.ppm = 0.0
        self.over = 0
        """Seconds in a row beyond the limit."""

    def restart(self) -> None:
        self.points.clear()
        self._best = None
        self.over = 0

    def add(self, at_ns: int, value_ns: int, width_ns: int, limit_ppm: float) -> bool:
        """Take a reading in; True when a second has closed and the limit is passed."""
        best = self._best
        if best is None or width_ns < best[2]:
            self._best = best = (at_ns, value_ns, width_ns)
        if at_ns < self._end_ns:
            return False
        self._end_ns = at_ns + matrix.RATE_POINT_NS
        self.points.append((best[0], best[1]))
        self._best = None
        self.ppm = slope_ppm(tuple(self.points))
        self.over = self.over + 1 if abs(self.ppm) > limit_ppm else 0
        return self.over >= matrix.RATE_CONFIRM


class ClockWatch:
    """Compares every round with the one before, and fits rates."""

    def __init__(self) -> None:
        self._last: ClockRound | None = None
        self._errors = tuple(_Rate() for _ in _NAMES)
        self._raw = _Rate()
        self._begun_ns: int | None = None
        self.shift_ns = 0
        """How far the readings of MONOTONIC have gone ahead of the kernel's since the start: what
        the loop sleeps until comes later by this."""
        self.stepped_ns = 0
        """The part of it that came in steps."""
        self.stepped: Kind = "step-one"
        """The kind of the newest step."""
        self.of_reading = False
        """The newest step was one against the kernel's word for the same clock."""
        self.discarded = 0
        """Rounds whose bracket was too wide."""

    @property
    def raw_ppm(self) -> float:
        """RAW against MONOTONIC over the last seconds; 0 until it is known."""
        return self._raw.ppm

    @property
    def latest_raw_ns(self) -> int:
        """RAW at the newest round; 0 before there is one."""
        return self._last.mono_ns + self._last.raw_ns if self._last else 0

    def take(self, now: ClockRound) -> Claim | None:
        """One round; the step or the rate that it shows."""
        if now.width_ns > matrix.MAX_WIDTH_NS:
            self.discarded += 1
            return None
        before, self._last = self._last, now
        if now.kernel is not None:
            self._begun_ns = now.kernel[0] if self._begun_ns is None else self._begun_ns
            self.shift_ns = self._begun_ns - now.kernel[0]
        claim = self._step(before, now) if before is not None else None
        if abs(self.shift_ns) < matrix.STEP_NS:
            self.stepped_ns = 0  # whatever came in steps has gone again, by steps or by a rate
        if claim is not None:
            for rate in (*self._errors, self._raw):
                rate.restart()
            return claim
        return self._rate(now)

    def _step(self, before: ClockRound, now: ClockRound) -> Claim | None:
        passed_ns = abs(now.mono_ns - before.mono_ns)
        noise_ns = matrix.STEP_NS + before.width_ns + now.width_ns
        floor_ns = noise_ns + int(passed_ns * matrix.STEP_SLOPE)
        if before.kernel is None or now.kernel is None:
            return self._step_of_pair(before, now, floor_ns)
        kernel = tuple(b - a for a, b in zip(before.kernel, now.kernel, strict=True))
        raw_ns, boot_ns = now.raw_ns - before.raw_ns, now.boottime_ns - before.boottime_ns
        # Each clock's reading against the same clock by system call.
        errors = (-kernel[0], raw_ns - kernel[1], boot_ns - kernel[2])
        moved = [abs(error) > floor_ns for error in errors]
        if any(moved):
            self.stepped_ns += errors[0] if moved[0] else 0
            self.stepped = "step-all" if all(moved) and _alike(errors) else "step-one"
            self.of_reading = True
            return _stepped(self.stepped, now, dict(zip(_NAMES, errors, strict=True)))
        slewed_ns = noise_ns + int(passed_ns * matrix.SLEW_SLOPE)
        self.of_reading = False
        return _step_of_kernel(now, raw_ns, boot_ns, floor_ns, slewed_ns)

    def _step_of_pair(self, before: ClockRound, now: ClockRound, floor_ns: int) -> Claim | None:
        """Without a truth channel: MONOTONIC is who moved when both others moved alike."""
        raw_ns, boot_ns = now.raw_ns - before.raw_ns, now.boottime_ns - before.boottime_ns
        raw, boot = abs(raw_ns) > floor_ns, abs(boot_ns) > floor_ns
        if raw and boot and _alike((raw_ns, boot_ns)):
            self.stepped_ns -= raw_ns
            self.shift_ns, self.stepped = self.stepped_ns, "step-one"
            return _stepped("step-one", now, {"monotonic": -raw_ns})
        return _step_of_kernel(now, raw_ns, boot_ns, floor_ns, floor_ns)

    def _rate(self, now: ClockRound) -> Claim | None:
        at, width = now.mono_ns, now.width_ns
        if now.kernel is not None:
            mono, raw, boot = now.kernel
            values = (-mono, now.raw_ns - raw, now.boottime_ns - boot)
            for name, rate, value in zip(_NAMES, self._errors, values, strict=True):
                if rate.add(at, value, width, matrix.TRUTH_PPM):
                    return _drifting(f"{name}/syscall", rate)
        if self._raw.add(at, now.raw_ns, width, matrix.SLEW_PPM):
            return _drifting("raw/monotonic", self._raw)
        return None


def _alike(steps: tuple[int, ...]) -> bool:
    greatest = max(steps, key=abs)
    return all(abs(step - greatest) <= _SAME * abs(greatest) for step in steps)


def _step_of_kernel(
    now: ClockRound, raw_ns: int, boot_ns: int, floor_ns: int, slewed_ns: int
) -> Claim | None:
    """The readings are true, and yet one clock moved against another."""
    if boot_ns > floor_ns:
        # Only BOOTTIME counts the time that a machine was suspended.
        return Claim("freeze", now.mono_ns - boot_ns, boot_ns, (ms("suspended", boot_ns),))
    if abs(raw_ns) > slewed_ns:
        return _stepped("step-one", now, {"raw": raw_ns})
    if boot_ns < -floor_ns:
        return _stepped("step-one", now, {"boottime": boot_ns})
    return None


def _stepped(kind: Kind, now: ClockRound, steps: dict[str, int]) -> Claim:
    evidence = tuple(ms(f"step of {name}", step) for name, step in steps.items())
    return Claim(kind, now.mono_ns, max(map(abs, steps.values())), evidence)


def _drifting(pair: str, rate: _Rate) -> Claim:
    begin_ns, end_ns = rate.points[0][0], rate.points[-1][0]
    harm_ns = round(abs(rate.ppm) * matrix.RATE_POINT_NS / 1e6)
    span = ms("over", end_ns - begin_ns)
    return Claim("rate", begin_ns, harm_ns, (Evidence(f"rate of {pair}", rate.ppm, "ppm"), span))
