"""Each method of ``plan.py``, done to the mixer under test."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.real import truth
from voiceroom_driftlab.real.cgroups import LEAST_US, PERIOD_US, PodCgroup, Whose
from voiceroom_driftlab.real.inside import Door
from voiceroom_driftlab.real.plan import Injection
from voiceroom_driftlab.real.process import MixerUnderTest
from voiceroom_driftlab.real.shim import Shim
from voiceroom_driftlab.real.spinner import Spinner
from voiceroom_driftlab.real.truth import Truth
from voiceroom_mixer.edge import clock

CROWD: Final = 2
_LOOK_NS: Final = 5 * NS_PER_MS
_CATCH_UP_NS: Final = 40 * NS_PER_MS
"""Until the kernel has booked a wait that is over."""
_BALLAST_S: Final = 30.0
_DEMAND_NS: Final = 400 * NS_PER_MS
Named = Callable[[], bool]
"""Whether a verdict has come: what lasts need not last longer."""


def pause(ns: int) -> None:
    """Sleep."""
    clock.sleep_until(clock.monotonic_ns() + ns)


class Injector:
    """``inject`` returns when the fault is over."""

    def __init__(
        self, mixer: MixerUnderTest, shim: Shim, cgroup: PodCgroup | None, door: Door,
        fifo: Spinner | None, crowd: list[Spinner], references_per_ms: float,
    ) -> None:  # fmt: skip
        self._mixer, self._shim, self._cgroup, self._door = mixer, shim, cgroup, door
        self._spinners = {"fifo": [fifo] if fifo else [], "crowd": crowd}
        self._references_per_ms = references_per_ms

    def prepare(self, injection: Injection) -> bool:
        """Put there what takes its time and may be noticed by itself; whether there was anything.
        Raises ``OSError`` when it cannot be done."""
        if injection.method != "gc":
            return False
        references = int(injection.strength * self._references_per_ms)
        order = {"act": "ballast", "lasts_ns": 0, "references": references}
        self._door.order(self._mixer.media, order)
        self._door.answer(_BALLAST_S)
        return True

    def inject(self, injection: Injection, named: Named) -> Truth:
        """Do it. Raises ``OSError`` when it cannot be done."""
        match injection.method:
            case "shim":
                return self._shimmed(injection, named)
            case "sigstop" | "freezer":
                return self._stopped(injection)
            case "own-quota":
                return self._limited(injection, ("own",), named)
            case "pod-quota":
                return self._limited(injection, ("own", "ancestor"), named)
            case "ancestor-quota":
                return self._limited(injection, ("ancestor",), named)
            case "fifo" | "crowd":
                return self._crowded(injection)
            case "none":
                began_ns = clock.monotonic_ns()
                self._last(injection, named)
                return Truth(began_ns, clock.monotonic_ns(), True, "offsets that stay")
        return self._inside(injection)

    def _last(self, injection: Injection, named: Named) -> None:
        until_ns = clock.monotonic_ns() + injection.lasts_ns
        while clock.monotonic_ns() < until_ns and not named():
            pause(_LOOK_NS)

    def _shimmed(self, injection: Injection, named: Named) -> Truth:
        began_ns = clock.monotonic_ns()
        self._shim.falsify(self._mixer.media, injection.step_ns, injection.ppb)
        try:
            self._last(injection, named)
            falsified = self._shim.falsified
        finally:
            self._shim.settle()
        return truth.read_wrong(began_ns, clock.monotonic_ns(), falsified)

    def _stopped(self, injection: Injection) -> Truth:
        began_ns, pid = clock.monotonic_ns(), self._mixer.media
        frozen = self._pod if injection.method == "freezer" else None
        try:
            frozen.freeze(True) if frozen else os.kill(pid, signal.SIGSTOP)
            pause(injection.lasts_ns)
            seen = frozen.is_frozen() if frozen else _state(pid) == "T"
        finally:
            frozen.freeze(False) if frozen else os.kill(pid, signal.SIGCONT)
        return truth.stopped(began_ns, clock.monotonic_ns(), seen, injection.strength)

    @property
    def _pod(self) -> PodCgroup:
        if self._cgroup is None:
            raise OSError("there is no cgroup for the pod")
        return self._cgroup

    def _limited(self, injection: Injection, whose: tuple[Whose, ...], named: Named) -> Truth:
        quota_us = max(LEAST_US, int(self._demand_us() * (1 - injection.strength)))
        before, began_ns = [self._pod.stat(one) for one in whose], clock.monotonic_ns()
        try:
            for one in whose:
                self._pod.limit(one, quota_us)
            self._last(injection, named)
            pause(PERIOD_US * 1_000)
        finally:
            for one in whose:
                self._pod.limit(one, None)
        after = [self._pod.stat(one) for one in whose]
        lost_ns = sum(b.throttled_ns - a.throttled_ns for a, b in zip(before, after, strict=True))
        periods = sum(b.throttled - a.throttled for a, b in zip(before, after, strict=True))
        frame_ns = self._mixer.frame_ns
        return truth.throttled(began_ns, clock.monotonic_ns(), periods, lost_ns, frame_ns)

    def _demand_us(self) -> int:
        """CPU time that the pod uses in a period."""
        before = self._used_ns()
        pause(_DEMAND_NS)
        return (self._used_ns() - before) * PERIOD_US // _DEMAND_NS

    def _used_ns(self) -> int:
        return sum(_schedstat(pid)[0] for pid in self._pod.pids())

    def _crowded(self, injection: Injection) -> Truth:
        spinners = self._spinners[injection.method]
        if not spinners:
            raise OSError("there is nothing to compete with")
        before, began_ns = _schedstat(self._mixer.media)[1], clock.monotonic_ns()
        self._pod.weigh(least=injection.method == "crowd")
        try:
            for spinner in spinners:
                spinner.begin(injection.strength)
            for spinner in spinners:
                spinner.done()
        finally:
            self._pod.weigh(least=False)
        pause(_CATCH_UP_NS)
        ended_ns = clock.monotonic_ns()
        waited_ns = _schedstat(self._mixer.media)[1] - before
        return truth.waited(began_ns, ended_ns, waited_ns, self._mixer.frame_ns)

    def _inside(self, injection: Injection) -> Truth:
        order: dict[str, Any] = {
            "act": injection.method, "lasts_ns": injection.lasts_ns, "every": injection.every,
            "place": injection.place, "ns": int(injection.strength * NS_PER_MS),
        }  # fmt: skip
        if injection.method == "burn":
            order["ns"] = int(injection.strength * self._mixer.frame_ns)
        began_ns = clock.monotonic_ns()
        control = injection.place == "control"
        self._door.order(self._mixer.control if control else self._mixer.media, order)
        said = self._door.answer(injection.lasts_ns / NS_PER_S * 3 + 10)
        return truth.inside(injection, began_ns, clock.monotonic_ns(), said)


def _schedstat(pid: int) -> tuple[int, int]:
    """(CPU time, time waited for a CPU) of a process's first thread, in ns; zeros when gone."""
    with suppress(OSError):
        used, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
        return int(used), int(waited)
    return 0, 0


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
