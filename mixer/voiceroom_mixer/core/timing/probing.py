"""How late absolute sleeps wake on each CPU: whom to visit next, when, and what was seen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from voiceroom_mixer.core.state import probepage as page
from voiceroom_mixer.core.timing.rolling import WINDOW_NS, RollingMax

_AHEAD: Final = 10
"""A deadline is at least a tenth of the interval away, or the sleep would be none."""
_EDGES_NS: Final = tuple(edge * 1_000 for edge in page.EDGES_US)


class Rota:
    """CPUs in turn. The set may change at any time; who comes next in order stays next."""

    __slots__ = ("_last", "cpus")

    def __init__(self, cpus: Iterable[int] = ()) -> None:
        self._last = -1
        self.follow(cpus)

    def follow(self, cpus: Iterable[int]) -> None:
        """From now on these."""
        self.cpus = tuple(sorted(cpu for cpu in set(cpus) if cpu < page.CPUS))

    def next(self) -> int | None:
        """Whose turn it is; None when there is nobody."""
        if not self.cpus:
            return None
        after = (cpu for cpu in self.cpus if cpu > self._last)
        self._last = next(after, self.cpus[0])
        return self._last


def next_deadline(now_ns: int, interval_ns: int, origin_ns: int) -> int:
    """The first point of the grid ``origin_ns + k * interval_ns`` that is worth sleeping for.

    Points that have passed are left out: late once is one late visit and never a burst.
    """
    after_ns = now_ns + interval_ns // _AHEAD
    return origin_ns + ((after_ns - origin_ns) // interval_ns + 1) * interval_ns


class DriftRow:
    """Writes the row of one CPU."""

    __slots__ = ("_late", "_waited", "_words")

    def __init__(self, words: memoryview[int]) -> None:
        """``words``: ``ROW_WORDS`` of the page; what an earlier writer counted goes on."""
        self._words = words
        self._late, self._waited = RollingMax(), RollingMax()

    def observe(self, now_ns: int, late_ns: int, waited_ns: int) -> None:
        """One visit: ``late_ns`` after its deadline, ``waited_ns`` of it in the run queue."""
        words, late_ns = self._words, max(0, late_ns)
        words[page.BUCKETS + bisect_left(_EDGES_NS, late_ns)] += 1
        words[page.SUM_NS] += late_ns
        self._late.observe(now_ns, late_ns)
        self._waited.observe(now_ns, waited_ns)
        words[page.MAX_NS] = self._late.maximum(now_ns)
        words[page.WAIT_NS] = self._waited.maximum(now_ns)
        words[page.SEEN_NS] = now_ns


@dataclass(frozen=True, slots=True)
class DriftFigures:
    """All rows together, for a scrape at one moment."""

    max_ns: dict[int, int]
    """By CPU, of those visited in the last 60 s."""
    wait_ns: dict[int, int]
    buckets: tuple[int, ...]
    """Of every visit so far, also on CPUs that have gone: a counter never falls."""
    sum_ns: int
    seen_ns: int
    """The newest visit; 0 = none yet."""
    boots: int
    strayed: int
    policy: str
    """``unknown`` until the probe has asked."""
    priority: int


def figures(words: Sequence[int], now_ns: int) -> DriftFigures:
    """``words``: the whole page (see ``core/state/probepage.py``)."""
    rows = {cpu: page.row_at(cpu) for cpu in range(page.CPUS)}
    used = {cpu: at for cpu, at in rows.items() if words[at + page.SEEN_NS]}
    fresh = {c: at for c, at in used.items() if now_ns - words[at + page.SEEN_NS] < WINDOW_NS}
    spans = [words[at + page.BUCKETS : at + page.SUM_NS] for at in used.values()]
    none = (0,) * (len(page.EDGES_US) + 1)
    return DriftFigures(
        {cpu: words[at + page.MAX_NS] for cpu, at in fresh.items()},
        {cpu: words[at + page.WAIT_NS] for cpu, at in fresh.items()},
        tuple(sum(column) for column in zip(*spans, strict=True)) or none,
        sum(words[at + page.SUM_NS] for at in used.values()),
        max((words[at + page.SEEN_NS] for at in used.values()), default=0),
        words[page.BOOTS],
        words[page.STRAYED],
        page.POLICIES[words[page.POLICY] % len(page.POLICIES)],
        words[page.PRIORITY],
    )
