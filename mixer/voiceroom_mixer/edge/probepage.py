"""The shared page of a clock probe (``core/state/probepage.py``) over a memfd."""

from __future__ import annotations

import mmap
import os
from typing import Final

from voiceroom_mixer.core.state import probepage as layout
from voiceroom_mixer.core.timing.probing import DriftFigures, DriftRow, figures
from voiceroom_mixer.edge.realtime import Granted

_NAME: Final = "voiceroom-clock-probe"


class ProbePage:
    """One writer a row; any number of readers."""

    def __init__(self, fd: int) -> None:
        """Raises ``OSError`` when ``fd`` is nothing that can be mapped."""
        os.ftruncate(fd, layout.BYTES)  # the keeper hands over an empty one; again changes nothing
        self._memory = mmap.mmap(fd, layout.BYTES)
        self.words: memoryview[int] = memoryview(self._memory).cast("q")

    def row(self, cpu: int) -> DriftRow:
        """To write one CPU's row with."""
        at = layout.row_at(cpu)
        return DriftRow(self.words[at : at + layout.ROW_WORDS])

    def figures(self, now_ns: int) -> DriftFigures:
        """What stands in it at ``now_ns`` (CLOCK_MONOTONIC)."""
        return figures(self.words, now_ns)

    def started(self) -> None:
        """One more start."""
        self.words[layout.BOOTS] += 1

    def tell(self, granted: Granted) -> None:
        """The scheduling that the one who measures has."""
        self.words[layout.POLICY] = layout.POLICIES.index(granted.policy)
        self.words[layout.PRIORITY] = granted.priority
        reasons = dict.fromkeys(refusal.reason for refusal in granted.refused)
        text = "; ".join(reasons).encode()
        at, length = layout.REASON * 8, layout.REASON_BYTES
        self._memory[at : at + length] = text[:length].ljust(length, b"\0")

    def stray(self) -> None:
        """A visit ended elsewhere. Writers of several rows may lose a count to each other."""
        self.words[layout.STRAYED] += 1

    def reason(self) -> str:
        """Why no more was granted; empty when nothing was refused."""
        at = layout.REASON * 8
        raw = self._memory[at : at + layout.REASON_BYTES]
        return raw.rstrip(b"\0").decode("utf-8", "replace")


def anonymous() -> ProbePage:
    """A page that the caller shares with those it forks."""
    fd = os.memfd_create(_NAME)
    try:
        return ProbePage(fd)
    finally:
        os.close(fd)
