"""What the mixer says of itself as it says it; and, apart from that, what the kernel says."""

from __future__ import annotations

import json
import threading
from collections import deque
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.real.senders import be_on_time
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.verdicts import Kind
from voiceroom_mixer.core.timing.schedule import SLOT_NS
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.accounts import OpenFile, numbers
from voiceroom_mixer.edge.shm import Segment

LOOK_NS: Final = 2 * NS_PER_MS
_BOOKS_EVERY: Final = 5
"""Looks between two at the kernel's books."""
_KEPT: Final = 12_000
"""Two minutes of books."""
_SLOT, _LATE, _WORK, _SKIPPED = (
    stats.TICK_FIELDS.index(name) for name in ("slot", "late_ns", "work_ns", "skipped")
)
_REPORTS: Final = (layout.REPORT_TIMING, layout.REPORT_LOOP)
_JIFFY_NS: Final = 10 * NS_PER_MS


class Seen(NamedTuple):
    """A change of the verdict in the mixer's report."""

    at_ns: int
    tick: int
    """The newest that was mixed."""
    kind: Kind | None


class Book(NamedTuple):
    """The kernel's, cumulative."""

    at_ns: int
    run_delay_ns: int
    """Of media's thread: ready to run, and not running."""
    steal_ns: int
    """Of all CPUs."""
    witness_late_ns: int
    """How late this very look came: nobody but the machine holds up a real-time thread."""


class Watcher:
    """A thread that looks every 2 ms."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._table = segment.tables["reports"]
        self._said: deque[Seen] = deque(maxlen=_KEPT)
        self._books: deque[Book] = deque(maxlen=_KEPT)
        self._stat = OpenFile(Path("/proc/stat"), 1_024)
        self._media, self._schedstat = 0, OpenFile(Path("/nonexistent"))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def said(self, since_ns: int) -> list[Seen]:
        """Changes of the verdict since then."""
        return [one for one in tuple(self._said) if one.at_ns >= since_ns]

    def books(self, since_ns: int, until_ns: int) -> list[Book]:
        """The kernel's, in between."""
        return [one for one in tuple(self._books) if since_ns <= one.at_ns <= until_ns]

    @property
    def stolen_ns(self) -> int:
        """Of all CPUs, so far."""
        return self._books[-1].steal_ns if self._books else 0

    @property
    def now(self) -> Seen | None:
        """The newest change."""
        return self._said[-1] if self._said else None

    def newest_tick(self) -> int:
        """The ring has it before the counter does."""
        ring = self._segment.ticks
        tick = int(self._segment.counters[stats.INDEX["ticks"]])
        following = ring[(tick + 1) % layout.TICK_RING][_SLOT]
        return tick + int(following > ring[tick % layout.TICK_RING][_SLOT])

    def first_bad(self, after_tick: int, step_ns: int, since_ns: int) -> int | None:
        """The first tick behind that one that was late or overlong, and was not over at
        ``since_ns`` of the kernel's MONOTONIC."""
        newest = self.newest_tick()
        for tick in range(max(after_tick + 1, newest - layout.TICK_RING + 2), newest + 1):
            row = self._segment.ticks[tick % layout.TICK_RING]
            bad = row[_LATE] >= matrix.STEADY_NS or row[_WORK] >= step_ns
            if bad and self._over_ns(row, step_ns) >= since_ns:
                return tick
        return None

    def _over_ns(self, row: NDArray[np.int64], step_ns: int) -> int:
        """When a tick's work was done."""
        origin_ns = self._segment.word("grid_origin_ns")
        waited_for_ns = origin_ns + int(row[_SLOT]) * SLOT_NS - int(row[_SKIPPED]) * step_ns
        return waited_for_ns + int(row[_LATE]) + int(row[_WORK])

    def late_ticks(self, after_tick: int, limit_ns: int) -> int:
        """How many since that one came later than ``limit_ns``."""
        newest = self.newest_tick()
        ticks = range(max(after_tick + 1, newest - layout.TICK_RING + 2), newest + 1)
        rows = (self._segment.ticks[tick % layout.TICK_RING] for tick in ticks)
        return sum(int(row[_LATE]) >= limit_ns for row in rows)

    def _run(self) -> None:
        be_on_time()
        version: tuple[int, ...] = ()
        looks = 0
        due_ns = clock.monotonic_ns()
        while not self._over.is_set():
            due_ns += LOOK_NS
            clock.sleep_until(due_ns)
            now_ns = clock.monotonic_ns()
            found = tuple(int(self._table.sequences[row]) for row in _REPORTS)
            if found != version and not any(sequence & 1 for sequence in found):
                version = found
                self._look(now_ns)
            looks += 1
            if looks % _BOOKS_EVERY == 0 or now_ns - due_ns > LOOK_NS:
                self._books.append(self._book(now_ns, now_ns - due_ns))
            due_ns = max(due_ns, now_ns - LOOK_NS)

    def _look(self, now_ns: int) -> None:
        of_media, of_loop = map(self._verdict, _REPORTS)
        kind = of_media or (of_loop if of_loop in matrix.OF_LOOP else None)
        if not self._said or self._said[-1].kind != kind:
            self._said.append(Seen(now_ns, self.newest_tick(), kind))

    def _verdict(self, row: int) -> Kind | None:
        raw = self._table.read(row)
        kind: Kind | None = json.loads(raw).get("verdict") if raw else None
        return kind

    def _book(self, now_ns: int, late_ns: int) -> Book:
        media = self._segment.word("media_pid")
        if media != self._media:
            self._schedstat.close()
            self._media = media
            self._schedstat = OpenFile(Path(f"/proc/{media}/schedstat"))
        steal = numbers(self._stat.read().split(b"\n", 1)[0].partition(b" ")[2], 8)[7]
        delay_ns = numbers(self._schedstat.read(), 3)[1]
        return Book(now_ns, delay_ns, steal * _JIFFY_NS, late_ns)

    def close(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()
