import pytest

from voiceroom_api.metrics import BY_NAME, METRICS
from voiceroom_mixer.control.export.mapping import (
    MAXIMA,
    SHARED_COUNTERS,
    SHARED_HISTOGRAMS,
)
from voiceroom_mixer.core.state import stats

EXPORTS = [*SHARED_COUNTERS.values(), *SHARED_HISTOGRAMS.values()]


def test_every_word_of_the_statistics_page_is_exported() -> None:
    assert SHARED_COUNTERS.keys() | SHARED_HISTOGRAMS.keys() == stats.INDEX.keys()


def test_as_a_declared_metric_with_its_labels() -> None:
    for export in EXPORTS:
        metric = BY_NAME[export.metric]
        assert tuple(export.labels) == metric.labels, export
        for label, value in export.labels.items():
            assert value in metric.values.get(label, (value,)), export


def test_no_two_words_are_one_sample() -> None:
    samples = [(export.metric, *sorted(export.labels.items())) for export in EXPORTS]
    assert len(samples) == len(set(samples))


@pytest.mark.parametrize("histogram", stats.HISTOGRAMS, ids=lambda spec: spec.name)
def test_edges_are_the_declared_ones(histogram: stats.HistogramSpec) -> None:
    metric = BY_NAME[SHARED_HISTOGRAMS[histogram.name].metric]
    assert [round(edge * 1e6) for edge in metric.buckets] == list(histogram.edges_us)
    assert metric.unit == "seconds"


def test_words_in_nanoseconds_become_seconds() -> None:
    for word, export in SHARED_COUNTERS.items():
        assert export.scale == (1e-9 if word.endswith("_ns") else 1.0)
    greatest = {word for word in SHARED_COUNTERS if word.startswith("max_")}
    of_the_node = {"throttled_ns", "steal_ns", "clocksource_changes"}
    gauges = {"breaker_state", "clock_error_ns", "frame_ns", "ladder_level", "tick_interval_ns"}
    assert greatest | gauges | of_the_node == MAXIMA


def test_known_label_values_are_all_reached() -> None:
    """Where media writes a family with known values, it writes all of them."""
    written = {export.metric for export in EXPORTS}
    for metric in METRICS:
        for label, values in metric.values.items() if metric.name in written else ():
            found = {export.labels[label] for export in EXPORTS if export.metric == metric.name}
            assert found == set(values)
