"""Control's event loop in virtual time: it beats beside media, unless a callback holds it."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.draws import Draw
from voiceroom_mixer.core.timing.detect.detector import Books, LoopDetector
from voiceroom_mixer.core.timing.detect.loop import BEAT_NS, WITNESS_NS
from voiceroom_mixer.core.timing.detect.matrix import OF_LOOP
from voiceroom_mixer.core.timing.detect.observations import Accounts
from voiceroom_mixer.core.timing.detect.verdicts import Kind

_LONGEST_WAIT_NS: Final = 60 * NS_PER_MS
"""For a CPU, on a node where somebody else computes."""
_CPU_SHARE: Final = 0.05
"""Of what control computes when nobody asks for anything."""


class ControlLoop:
    """Words and books of a control process; what media makes of them is ``own_fault``."""

    def __init__(self, draw: Draw, start_ns: int) -> None:
        self._draw = draw
        self._detector = LoopDetector()
        self._now_ns = self._free_ns = self._beat_ns = start_ns
        self._cpu_ns = self._waited_ns = 1

    def block(self, begin_ns: int, for_ns: int) -> None:
        """One callback holds it; true time."""
        self._free_ns = begin_ns + for_ns

    def own_fault(self, now_ns: int, passed_ns: int) -> Kind | None:
        """At the end of a tick in which ``passed_ns`` were mixed: what the loop does to itself."""
        self._cpu_ns += int((now_ns - self._now_ns) * _CPU_SHARE)
        self._now_ns = now_ns
        if now_ns >= max(self._free_ns, self._beat_ns + BEAT_NS):
            waited_ns = int(self._draw.exponential(NS_PER_MS))
            if self._draw.random() < 0.001:
                waited_ns = int(self._draw.integers(_LONGEST_WAIT_NS))
            self._waited_ns += waited_ns
            self._beat_ns, self._free_ns = now_ns, now_ns + waited_ns
        witness_ns = now_ns // WITNESS_NS * WITNESS_NS
        verdict = self._detector.feel(self._beat_ns, witness_ns, passed_ns, self._books)
        return verdict.kind if verdict and verdict.kind in OF_LOOP else None

    def _books(self) -> Books:
        return Accounts(self._cpu_ns, self._cpu_ns, self._waited_ns, 0, 0, 0), False
