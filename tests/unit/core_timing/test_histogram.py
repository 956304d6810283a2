"""Histograms in shared words."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_mixer.core.state import stats
from voiceroom_mixer.core.timing.histogram import Histogram, TwoSided, histograms


def make(*edges_us: int) -> tuple[Histogram, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    words = np.zeros(len(edges_us) + 2, np.int64)
    return Histogram(words, edges_us), words


def test_durations_fall_into_buckets_written_in_place() -> None:
    histogram, words = make(50, 100, 250)
    for duration_us in (10, 50, 51, 250, 251, 90_000):
        histogram.observe_ns(duration_us * 1_000)
    assert words.tolist() == [2, 1, 1, 2, 90_612_000]
    assert histogram.count == 6
    assert histogram.sum_ns == 90_612_000


def test_an_edge_belongs_to_the_bucket_below_it() -> None:
    histogram, words = make(100)
    histogram.observe_ns(100_000)
    histogram.observe_ns(100_001)
    assert words[:2].tolist() == [1, 1]


def test_early_and_late_are_counted_apart() -> None:
    late, late_words = make(50, 100)
    early, early_words = make(50, 100)
    both = TwoSided(late, early)
    for off_us in (0, 70, -60, -200):
        both.observe_ns(off_us * 1_000)
    assert late_words.tolist() == [1, 1, 0, 70_000]
    assert early_words.tolist() == [0, 1, 1, 260_000]


def test_the_sum_never_shrinks() -> None:
    histogram, words = make(50)
    histogram.observe_ns(-5)
    assert words.tolist() == [1, 0, 0]


def test_a_view_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="takes 3 int64"):
        Histogram(np.zeros(4, np.int64), (50,))


def test_every_histogram_of_the_statistics_page_has_its_own_words() -> None:
    page = np.zeros(stats.WORDS, np.int64)
    for number, histogram in enumerate(histograms(page).values(), start=1):
        for _ in range(number):
            histogram.observe_ns(1)
    for number, spec in enumerate(stats.HISTOGRAMS, start=1):
        at = stats.INDEX[spec.name]
        assert page[at] == number
        assert page[at + spec.words - 1] == number
    used = len(stats.HISTOGRAMS)
    assert np.count_nonzero(page) == 2 * used
