import re

from voiceroom_api.metrics import BY_NAME, METRICS
from voiceroom_api.probe_metrics import ON_NODE


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(METRICS)


OF_THE_NODE = "node_timer_drift_delta_seconds"
"""The one that is not named after us: boards and alerts know it by this name."""
ALL = (*METRICS, *ON_NODE)


def test_names_are_as_prometheus_asks() -> None:
    for metric in ALL:
        assert re.fullmatch(r"voiceroom_[a-z0-9_]+", metric.name) or metric.name == OF_THE_NODE
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
        assert (metric.kind == "info") == metric.name.endswith("_info"), metric.name


def test_units_are_base_units_and_in_the_name() -> None:
    for metric in ALL:
        assert metric.unit in ("", "seconds", "bytes", "ppm"), metric.name
        base = metric.name.removesuffix("_total")
        in_name = base.endswith(f"_{metric.unit}") or "_bytes_" in base
        assert not metric.unit or in_name, metric.name


def test_labels_are_few_and_never_a_person() -> None:
    for metric in ALL:
        assert len(metric.labels) <= 4, metric.name
        assert not {"participant", "leg", "identity", "ssrc", "address"} & set(metric.labels)
        assert set(metric.values) <= set(metric.labels), metric.name
        assert ("room" in metric.labels) == (metric.name == "voiceroom_participants")


def test_histograms_alone_have_rising_buckets() -> None:
    for metric in ALL:
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric.name
        assert list(metric.buckets) == sorted(set(metric.buckets)), metric.name


def test_every_metric_is_explained() -> None:
    for metric in ALL:
        assert re.fullmatch(r"\S.*\.", metric.help), metric.name


def test_the_edges_that_promises_are_made_on() -> None:
    assert 0.03 in BY_NAME["voiceroom_media_jitter_seconds"].buckets
    assert {50e-6, 0.002, 0.01} <= set(BY_NAME["voiceroom_tick_lateness_seconds"].buckets)
