"""What Prometheus reads, parsed by its own parsers."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from fakes.door import SMALL, segment
from voiceroom_api.metrics import METRICS
from voiceroom_mixer.control.export.clockfacts import clock_infos, clockz, refresh_clock_metrics
from voiceroom_mixer.control.export.exposition import Exposition
from voiceroom_mixer.control.export.numbers import Infos, Numbers
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.edge.shm import Segment

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ABOUT = {
    "scheduling": {
        "policy": "nice",
        "priority": -11,
        "memory_locked": False,
        "refused": [{"what": "fifo", "errno": 1, "reason": "RLIMIT_RTPRIO is 0"}],
    },
    "readCost": [
        {"clock": "raw", "reads": 9, "min_ns": 30, "mean_ns": 40, "std_ns": 1, "max_ns": 90}
    ],
    "selfTest": True,
    "node": {"clocksource": None, "arch": "x86_64"},
    "grade": {"grade": "B", "reasons": ["clock source kvm-clock: paravirtual"], "notes": []},
}
CLOCK = {"epoch": 3, "pairs": {"raw": {"ppm": -12.5, "steps": 1, "step_total_ns": 2_000_000}}}


def nothing() -> None:
    """Nothing to refresh."""


def no_infos() -> Infos:
    return {}


def exposed(segments: list[Segment], numbers: Numbers, infos: Infos | None = None) -> list[Family]:
    exposition = Exposition(segments, numbers, nothing, lambda: infos or {})
    body, content_type = exposition.expose(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    return list(parse_openmetrics(body.decode()))  # type: ignore[no-untyped-call]


def value(families: Iterable[Family], name: str, **labels: str) -> float | None:
    for family in families:
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def test_every_declared_metric_is_exposed_with_its_type_unit_and_help() -> None:
    families = {family.name: family for family in exposed([segment()], Numbers())}
    for metric in METRICS:
        suffix = {"counter": "_total", "info": "_info"}.get(metric.kind, "")
        family = families.pop(metric.name.removesuffix(suffix))
        assert family.type == metric.kind
        assert family.documentation == metric.help
        assert family.unit == (metric.unit if family.name.endswith(metric.unit) else "")
    assert families == {}


def test_counters_start_at_zero_for_every_known_label() -> None:
    families = exposed([segment()], Numbers())
    for reason in stats.DROP_REASONS:
        assert value(families, "voiceroom_rx_dropped_total", reason=reason) == 0
    assert value(families, "voiceroom_joins_total", result="ok") == 0


def test_numbers_of_several_media_processes_add_up_but_maxima_do_not() -> None:
    first, second = segment(), segment()
    for memory, ticks, late_ns in ((first, 100, 5_000_000), (second, 50, 9_000_000)):
        memory.counters[stats.INDEX["ticks"]] = ticks
        memory.counters[stats.INDEX["max_lateness_ns"]] = late_ns
        memory.counters[stats.INDEX["drop_srtp_auth"]] = 3
    families = exposed([first, second], Numbers())
    assert value(families, "voiceroom_ticks_total") == 150
    assert value(families, "voiceroom_tick_lateness_max_seconds") == pytest.approx(0.009)
    assert value(families, "voiceroom_rx_dropped_total", reason="srtp_auth") == 6


def test_a_histogram_of_the_page_is_cumulative_in_seconds() -> None:
    memory = segment()
    first = stats.INDEX["tick_late"]
    edges = len(stats.LATENESS_EDGES_US)
    memory.counters[first] = 4  # up to 50 us
    memory.counters[first + 2] = 2  # 100 to 120 us
    memory.counters[first + edges] = 1  # beyond 100 ms
    memory.counters[first + edges + 1] = 250_000_000
    families = exposed([memory, memory], Numbers())
    name = "voiceroom_tick_lateness_seconds"
    expected = {"5e-05": 8, "0.0001": 8, "0.00012": 12, "0.1": 12, "+Inf": 14}
    for edge, count in expected.items():
        assert value(families, f"{name}_bucket", side="late", le=edge) == count
    assert value(families, f"{name}_count", side="late") == 14
    assert value(families, f"{name}_sum", side="late") == 0.5
    assert value(families, f"{name}_count", side="early") == 0


def test_controls_own_histograms_and_counters() -> None:
    numbers = Numbers()
    for lag_s in (0.0005, 0.03, 7.0):
        numbers.observe("voiceroom_loop_lag_seconds", lag_s)
    numbers.count("voiceroom_joins_total", result="locked")
    families = exposed([segment()], numbers)
    assert value(families, "voiceroom_loop_lag_seconds_bucket", le="0.001") == 1
    assert value(families, "voiceroom_loop_lag_seconds_bucket", le="5.0") == 2
    assert value(families, "voiceroom_loop_lag_seconds_count") == 3
    assert value(families, "voiceroom_joins_total", result="locked") == 1


def test_without_openmetrics_in_accept_it_is_the_text_format() -> None:
    exposition = Exposition([segment()], Numbers(), nothing, no_infos)
    body, content_type = exposition.expose("*/*")
    assert content_type.startswith("text/plain")
    assert any(family.name == "voiceroom_ticks" for family in parse_text(body.decode()))


def test_what_media_tells_of_clocks_and_scheduling() -> None:
    memory, numbers = segment(), Numbers()
    memory.tables["reports"].write(layout.REPORT_ABOUT, json.dumps(ABOUT).encode())
    memory.tables["reports"].write(layout.REPORT_CLOCK, json.dumps(CLOCK).encode())
    refresh_clock_metrics([memory], numbers)
    families = exposed([memory], numbers, clock_infos([memory, memory]))
    assert value(families, "voiceroom_clock_rate_ppm", pair="raw") == -12.5
    assert value(families, "voiceroom_clock_step_seconds_total", pair="raw") == 0.002
    assert value(families, "voiceroom_clock_read_seconds", clock="raw", stat="mean") == 40e-9
    grade = {"grade": "B", "reason": "clock source kvm-clock: paravirtual"}
    assert value(families, "voiceroom_node_grade_info", **grade) == 1
    granted = {"policy": "nice", "priority": "-11", "mlock": "no", "reason": "RLIMIT_RTPRIO is 0"}
    assert value(families, "voiceroom_scheduling_info", **granted) == 1
    clock = {"clocksource": "unknown", "arch": "x86_64"}
    assert value(families, "voiceroom_clock_info", **clock) == 1


def test_clockz_before_and_after_media_has_told() -> None:
    memory = segment(SMALL)
    memory.set_word("media_beat_ns", 5_000_000)
    (before,) = clockz([memory], 7_000_000)["media"]
    assert (before["clock"], before["beatAgeMs"], before["ready"]) == ({}, 2.0, False)
    memory.tables["reports"].write(layout.REPORT_ABOUT, json.dumps(ABOUT).encode())
    (after,) = clockz([memory], 7_000_000)["media"]
    assert after["grade"]["grade"] == "B"
    assert after["scheduling"]["policy"] == "nice"
