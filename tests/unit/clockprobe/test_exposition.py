"""What a scraper reads, by Prometheus's own parsers."""

from __future__ import annotations

from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from voiceroom_api.metric import Metric
from voiceroom_api.probe_metrics import TIMERS
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.clockprobe.__main__ import SILENT_NS, health
from voiceroom_mixer.clockprobe.exposition import render, timers
from voiceroom_mixer.edge import probepage
from voiceroom_mixer.edge.cgroup import CpuBudget
from voiceroom_mixer.edge.realtime import Granted, Refusal

REASON = 'not permitted: "SYS_NICE" \\ is missing'


def seen_page() -> probepage.ProbePage:
    page = probepage.anonymous()
    refused = (Refusal("SCHED_FIFO 9", 1, REASON),)
    page.started()
    page.tell(Granted("nice", -11, 1, False, (0, 1), CpuBudget(), refused))
    page.row(0).observe(NS_PER_S, 60_000, 20_000)
    page.row(1).observe(NS_PER_S, 6_000_000, 0)
    return page


def samples(text: str, parse: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def exposed(*, openmetrics: bool) -> str:
    page = seen_page()
    figures = page.figures(NS_PER_S)
    return render(timers(figures, "in-turn", page.reason()), openmetrics=openmetrics)


def test_both_formats_say_the_same() -> None:
    found = samples(exposed(openmetrics=True), parse_openmetrics)
    assert found == samples(exposed(openmetrics=False), parse_text)
    assert found["node_timer_drift_delta_seconds", (("cpu", "1"),)] == 0.006
    assert found["voiceroom_timer_drift_waiting_max_seconds", (("cpu", "0"),)] == 0.00002
    assert found["voiceroom_timer_drift_seconds_count", ()] == 2
    assert found["voiceroom_timer_drift_seconds_bucket", (("le", "0.0001"),)] == 1
    assert found["voiceroom_timer_drift_seconds_bucket", (("le", "+Inf"),)] == 2
    labels = (("policy", "nice"), ("priority", "-11"), ("reason", REASON), ("visits", "in-turn"))
    assert found["voiceroom_clock_probe_info", labels] == 1


def test_every_declared_metric_is_told_with_type_help_and_unit() -> None:
    families = {family.name: family for family in parse_openmetrics(exposed(openmetrics=True))}  # type: ignore[no-untyped-call]
    for metric in TIMERS:
        family = families.pop(metric.name.removesuffix("_total").removesuffix("_info"))
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        assert family.unit == metric.unit
    assert families == {}


def test_a_label_with_a_line_end_breaks_no_line() -> None:
    metric = Metric("voiceroom_x", "gauge", "X.", labels=("a",))
    text = render([(metric, {("one\ntwo",): 1.0})], openmetrics=False)
    assert samples(text, parse_text) == {("voiceroom_x", (("a", "one\ntwo"),)): 1.0}


def test_alive_means_that_cpus_are_visited() -> None:
    page = seen_page()
    assert health(page, 0, 2 * NS_PER_S) == {
        "alive": True,
        "silentSeconds": 1.0,
        "cpus": [0, 1],
        "policy": "nice",
        "priority": -11,
    }
    assert not health(page, 0, NS_PER_S + SILENT_NS)["alive"]


def test_a_probe_that_has_just_begun_is_given_time() -> None:
    page = probepage.anonymous()
    assert health(page, 10 * NS_PER_S, 11 * NS_PER_S)["alive"]
    assert not health(page, 10 * NS_PER_S, 10 * NS_PER_S + SILENT_NS)["alive"]
