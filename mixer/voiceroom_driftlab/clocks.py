"""The virtual machine's clocks: the kernel's, which timers obey, and what reading them shows."""

from __future__ import annotations

from voiceroom_api.units import NS_PER_S
from voiceroom_driftlab.draws import Draw
from voiceroom_driftlab.faults import Fault
from voiceroom_mixer.core.timing.detect.observations import ClockRound

_OFFSETS = (0, -302_000_000, 7 * NS_PER_S)
"""Constant ones of MONOTONIC, RAW, BOOTTIME: harmless."""


class Clocks:
    """All of them, as functions of true time."""

    def __init__(self, draw: Draw, start_ns: int) -> None:
        self._draw = draw
        self._then_ns = start_ns
        self._kernel = [float(start_ns + offset) for offset in _OFFSETS]
        self._error = [0.0, 0.0, 0.0]
        crystal = float(draw.uniform(-30, 30))
        self._kernel_ppm = [0.0, crystal, 0.0]
        self._error_ppm = (0.0, 0.0, 0.0)
        self.width = 1.0
        self.has_truth = True

    def at(self, now_ns: int) -> None:
        """Move all clocks on to a true time."""
        passed = now_ns - self._then_ns
        if passed:
            self._then_ns = now_ns
            for i in range(3):
                self._kernel[i] += passed * (1 + self._kernel_ppm[i] / 1e6)
                self._error[i] += passed * self._error_ppm[i] / 1e6

    def begin(self, fault: Fault) -> None:
        """A fault's clock part."""
        for i in range(3):
            self._error[i] += fault.step_ns[i]
            self._kernel[i] += fault.kernel_jump_ns
            self._kernel_ppm[i] += fault.kernel_ppm + (fault.slew_ppm if i != 1 else 0.0)
        # Only BOOTTIME counts what a suspended machine missed.
        for i in (0, 1):
            self._kernel[i] -= fault.suspend_ns
        self._error_ppm = fault.ppm if any(fault.ppm) else self._error_ppm
        self.width *= fault.read_width

    def end(self, fault: Fault) -> None:
        """The rates are right again; what stepped stays."""
        for i in range(3):
            self._kernel_ppm[i] -= fault.kernel_ppm + (fault.slew_ppm if i != 1 else 0.0)
        self._error_ppm = (0.0, 0.0, 0.0) if any(fault.ppm) else self._error_ppm
        self.width /= fault.read_width

    def mono(self) -> int:
        """CLOCK_MONOTONIC as it reads."""
        return int(self._kernel[0] + self._error[0])

    def true(self) -> int:
        """CLOCK_MONOTONIC as timers go by it; where there is no truth channel, as it reads."""
        return int(self._kernel[0]) if self.has_truth else self.mono()

    def raw(self) -> int:
        """The kernel's CLOCK_MONOTONIC_RAW: what packets are stamped with."""
        return int(self._kernel[1])

    def until(self, deadline_mono_ns: int) -> int:
        """True time until the kernel's MONOTONIC shows a deadline."""
        return int((deadline_mono_ns - self._kernel[0]) / (1 + self._kernel_ppm[0] / 1e6))

    def round(self) -> ClockRound:
        """A bracketed reading of all, with its noise; one in a hundred is preempted."""
        draw = self._draw
        width = (2_000 + draw.exponential(1_500)) * self.width
        if draw.random() < 0.01:
            width += draw.uniform(30_000, 3_000_000)
        noise = (draw.random(5) - 0.5) * width * 0.5
        mono = self._kernel[0] + self._error[0]
        raw = self._kernel[1] + self._error[1] - mono + noise[0]
        boot = self._kernel[2] + self._error[2] - mono + noise[1]
        kernel = tuple(int(k - mono + n) for k, n in zip(self._kernel, noise[2:], strict=True))
        truth = (kernel[0], kernel[1], kernel[2]) if self.has_truth else None
        return ClockRound(int(mono), int(width), int(raw), int(boot), truth)
