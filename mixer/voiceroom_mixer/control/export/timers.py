"""What the clock probe beside this mixer has seen, from the page that it writes."""

from __future__ import annotations

from collections.abc import Mapping

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.export.numbers import Infos, Numbers
from voiceroom_mixer.edge.probepage import ProbePage


def refresh_timers(page: ProbePage, numbers: Numbers, now_ns: int) -> None:
    """Set its metrics. A CPU that was not visited for a minute has no gauge."""
    figures = page.figures(now_ns)
    _by_cpu(numbers, "node_timer_drift_delta_seconds", figures.max_ns)
    _by_cpu(numbers, "voiceroom_timer_drift_waiting_max_seconds", figures.wait_ns)
    sum_s = figures.sum_ns / NS_PER_S
    numbers.replace("voiceroom_timer_drift_seconds", figures.buckets, sum_s)
    numbers.set("voiceroom_clock_probe_strayed_total", figures.strayed)
    restarts = max(0, figures.boots - 1)
    numbers.set("voiceroom_process_restarts_total", restarts, process="clock-probe")


def _by_cpu(numbers: Numbers, metric: str, nanoseconds: Mapping[int, int]) -> None:
    numbers.clear(metric)
    for cpu, ns in nanoseconds.items():
        numbers.set(metric, ns / NS_PER_S, cpu=str(cpu))


def timer_infos(page: ProbePage, now_ns: int) -> Infos:
    """Label sets of its info metric; none before it has asked for its scheduling."""
    figures = page.figures(now_ns)
    if figures.policy == "unknown":
        return {}
    labels = {
        "policy": figures.policy,
        "priority": str(figures.priority),
        "visits": "in-turn",
        "reason": page.reason(),
    }
    return {"voiceroom_clock_probe_info": [labels]}
