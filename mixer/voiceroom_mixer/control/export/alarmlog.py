"""What the last ticks were when the node's clock probe said that media had waited for a CPU.

Media counts the signal in its statistics page and does no more; control sees the count grow and
writes the newest ticks of the ring into the log, one line with all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.export.figures import SLOT_NS, counter, recent_ticks
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.edge.shm import Segment

EVERY_NS: Final = 30 * NS_PER_S
"""One line a media process in so long. A probe that tells every second says the same each time."""
SHOWN_SLOTS: Final = 2 * NS_PER_S // SLOT_NS
"""2 s: the wait itself is 0.1 s away when it is told, and the look at the count a second."""
FIELDS: Final = ("slot", "lateUs", "workUs", "skipped", "received")
_COLUMNS: Final = [
    stats.TICK_FIELDS.index(name) for name in ("slot", "late_ns", "work_ns", "skipped", "received")
]
_SCALES: Final = (1, 1_000, 1_000, 1, 1)

_log = logging.getLogger(__name__)


class AlarmLog:
    """Of all media processes. ``look`` about once a second."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._each = [_Process(index, segment) for index, segment in enumerate(segments)]

    def look(self, now_ns: int) -> None:
        """Write the ticks of those that were told of since the last look."""
        for process in self._each:
            process.look(now_ns)


class _Process:
    def __init__(self, index: int, segment: Segment) -> None:
        self._index, self._segment = index, segment
        self._seen = self._told = counter(segment, "scheduling_alarms")
        self._due_ns: int | None = None

    def look(self, now_ns: int) -> None:
        count = counter(self._segment, "scheduling_alarms")
        is_new, self._seen = count != self._seen, count
        if is_new and (self._due_ns is None or now_ns >= self._due_ns):
            self._due_ns = now_ns + EVERY_NS
            self._tell(count - self._told)
            self._told = count

    def _tell(self, alarms: int) -> None:
        ticks = last_ticks(self._segment)
        extra = {"media": self._index, "alarms": alarms, "fields": FIELDS, "ticks": ticks}
        _log.warning("scheduling: media has waited for a CPU; its last ticks", extra=extra)


def last_ticks(segment: Segment) -> list[list[int]]:
    """Of the last ``SHOWN_SLOTS``, the oldest first, as ``FIELDS``; 200 rows at most."""
    rows = recent_ticks(segment)[:, _COLUMNS] // _SCALES
    slots = rows[:, 0]
    shown = rows[slots > slots.max(initial=0) - SHOWN_SLOTS]
    found: list[list[int]] = shown[shown[:, 0].argsort()].tolist()
    return found
