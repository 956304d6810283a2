"""Is the event loop of control alive? A probe on the loop, and a thread that watches the probe."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.loop import BEAT_NS, WITNESS_NS

_log = logging.getLogger(__name__)

PROBE_NS: Final = BEAT_NS
STALL_NS: Final = matrix.LOOP_LAG_NS
DUMP_EVERY_NS: Final = 10 * NS_PER_S
"""Stalls in between are counted without a stack."""


class LoopProbe:
    """Measures how late the loop runs what is due, against an absolute schedule."""

    def __init__(self, numbers: Numbers, start_ns: int) -> None:
        self._numbers = numbers
        self._due_ns = start_ns + PROBE_NS
        self.beat_ns = start_ns
        """When the loop was last seen running; read by the watchdog's thread."""

    def beat(self, now_ns: int) -> None:
        """One probe; call it every ``PROBE_NS``. Probes that were missed are skipped."""
        lag_ns = max(0, now_ns - self._due_ns)
        self._numbers.observe("voiceroom_loop_lag_seconds", lag_ns / NS_PER_S)
        self._due_ns += (lag_ns // PROBE_NS + 1) * PROBE_NS
        self.beat_ns = now_ns


class StallDetector:
    """Turns beats into stalls: each counted once, few of them with a stack."""

    def __init__(self) -> None:
        self._stalled_beat_ns = -1
        self._dump_after_ns = 0
        self.stalls = 0

    def look(self, beat_ns: int, now_ns: int) -> bool:
        """True when a new stall should be dumped."""
        if now_ns - beat_ns <= STALL_NS or beat_ns == self._stalled_beat_ns:
            return False
        self._stalled_beat_ns = beat_ns
        self.stalls += 1
        if now_ns < self._dump_after_ns:
            return False
        self._dump_after_ns = now_ns + DUMP_EVERY_NS
        return True


class Watchdog:
    """The watching thread; a daemon, since it must not outlive a loop that hangs for good."""

    def __init__(
        self, probe: LoopProbe, now_ns: Callable[[], int], witness: Callable[[int], None]
    ) -> None:
        """``witness``: told the time at each look, by this thread."""
        self._probe, self._witness = probe, witness
        self._now_ns = now_ns
        self._detector = StallDetector()
        self._stop = threading.Event()
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    @property
    def stalls(self) -> int:
        """How often the loop stood still for more than 200 ms."""
        return self._detector.stalls

    def start(self) -> None:
        """Watch the loop of the calling thread."""
        self._watched = threading.get_ident()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(WITNESS_NS / NS_PER_S):
            now_ns = self._now_ns()
            self._witness(now_ns)
            if self._detector.look(self._probe.beat_ns, now_ns):
                _log.warning("the event loop stands still:\n%s", stack_of(self._watched))


def stack_of(thread_id: int) -> str:
    """The stack of a thread as text; empty when it has ended."""
    frame = sys._current_frames().get(thread_id)
    return "".join(traceback.format_stack(frame)) if frame else ""


def all_stacks() -> dict[str, str]:
    """The stacks of all threads by name."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        f"{names.get(ident, 'unknown')} ({ident})": "".join(traceback.format_stack(frame))
        for ident, frame in sys._current_frames().items()
    }
