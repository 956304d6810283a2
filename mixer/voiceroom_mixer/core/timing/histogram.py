"""Histograms that live in the shared statistics page, written in place by their one writer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.state import stats
from voiceroom_mixer.core.state.stats import HistogramSpec


class Histogram:
    """Counts durations into int64 words: a bucket per edge, overflow, the sum in ns.

    A value equal to an edge falls below it, as ``le`` of Prometheus has it. Buckets are not
    cumulative. Observing costs one bisection and two words, each written whole.
    """

    __slots__ = ("_edges_ns", "_sum", "_words")

    def __init__(self, words: NDArray[np.int64], edges_us: Sequence[int]) -> None:
        """``words`` is a view of shape (len(edges_us) + 2,); raises ``ValueError`` otherwise."""
        if words.shape != (len(edges_us) + 2,) or words.dtype != np.int64:
            raise ValueError(
                f"a histogram of {len(edges_us)} edges takes {len(edges_us) + 2} int64"
            )
        # A memoryview hands out plain integers, in a third of the time that numpy scalars take.
        self._words: memoryview[int] = words.data
        self._edges_ns = [edge * 1_000 for edge in edges_us]
        self._sum = len(edges_us) + 1

    @classmethod
    def of(cls, counters: NDArray[np.int64], spec: HistogramSpec) -> Histogram:
        """The histogram of that name in the statistics page (shape ``(stats.WORDS,)``)."""
        at = stats.INDEX[spec.name]
        return cls(counters[at : at + spec.words], spec.edges_us)

    def observe_ns(self, duration_ns: int) -> None:
        """Count one duration; a negative one (see ``TwoSided``) counts as 0."""
        words = self._words
        words[bisect_left(self._edges_ns, duration_ns)] += 1
        if duration_ns > 0:
            words[self._sum] += duration_ns

    @property
    def count(self) -> int:
        """How many were observed."""
        return sum(self._words[: self._sum])

    @property
    def sum_ns(self) -> int:
        """Their sum."""
        return self._words[self._sum]


class TwoSided:
    """Late and early apart: a negative observation would corrupt the sum of either."""

    __slots__ = ("early", "late")

    def __init__(self, late: Histogram, early: Histogram) -> None:
        self.late = late
        self.early = early

    def observe_ns(self, late_ns: int) -> None:
        """``late_ns`` >= 0 is late (or on time), < 0 early by its amount."""
        if late_ns >= 0:
            self.late.observe_ns(late_ns)
        else:
            self.early.observe_ns(-late_ns)


def histograms(counters: NDArray[np.int64]) -> dict[str, Histogram]:
    """All histograms of the statistics page by name."""
    return {spec.name: Histogram.of(counters, spec) for spec in stats.HISTOGRAMS}
