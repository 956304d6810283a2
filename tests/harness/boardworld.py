"""A fleet of one pod in which every metric has something to say, as input series of promtool."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from harness.series import DECLARED
from voiceroom_api import operator_metrics, probe_metrics
from voiceroom_api.metric import Metric

CHOSEN = {"namespace": "voice", "pool": "default", "node": "n1", "pod": "m-0", "room": "lobby"}
"""What the variables of the boards are set to."""
WINDOWS = {"__rate_interval": "1m", "__range": "10m"}
SCRAPE_S = 15
LAST_S = 600
_STEPS = LAST_S // SCRAPE_S
_MIXER = {name: CHOSEN[name] for name in ("namespace", "pool", "node", "pod")}
_MIXER |= {"job": "mixers", "instance": "m"}
_NODE = {"node": CHOSEN["node"], "job": "node-timer-drift", "instance": "n"}
_OPERATOR = {"namespace": "system", "pod": "o-0", "job": "operator", "instance": "o"}
_UNTOLD = {"cpu": "0", "pair": "mono-tai", "clock": "monotonic"}
"""Values of labels that no table lists."""


def ask(expr: str) -> str:
    """A board's query, as Grafana sends it when ``CHOSEN`` is chosen."""
    for name, value in (CHOSEN | WINDOWS).items():
        expr = expr.replace(f"${name}", value)
    return expr


def input_series() -> list[dict[str, str]]:
    """Of every metric that is declared: counters grow, gauges are 1."""
    return [one for metric in DECLARED.values() for one in _of(metric)]


def _of(metric: Metric) -> Iterator[dict[str, str]]:
    for own in _label_sets(metric):
        labels = _target(metric) | own
        if metric.kind == "histogram":
            yield from _histogram(metric, labels)
        else:
            grows = metric.kind == "counter"
            yield _series(metric.name, labels, f"0+1x{_STEPS}" if grows else f"1x{_STEPS}")


def _label_sets(metric: Metric) -> Iterator[dict[str, str]]:
    values = [metric.values.get(label) or (_value(label),) for label in metric.labels]
    for chosen in product(*values):
        yield dict(zip(metric.labels, chosen, strict=True))


def _value(label: str) -> str:
    return CHOSEN.get(label) or _UNTOLD.get(label, "x")


def _target(metric: Metric) -> dict[str, str]:
    if metric.name in operator_metrics.BY_NAME:
        return _OPERATOR
    return _NODE if metric in probe_metrics.ON_NODE else _MIXER


def _histogram(metric: Metric, labels: dict[str, str]) -> Iterator[dict[str, str]]:
    for edge in (*(f"{edge:g}" for edge in metric.buckets), "+Inf"):
        yield _series(f"{metric.name}_bucket", labels | {"le": edge}, f"0+1x{_STEPS}")
    for whole in ("count", "sum"):
        yield _series(f"{metric.name}_{whole}", labels, f"0+1x{_STEPS}")


def _series(name: str, labels: dict[str, str], values: str) -> dict[str, str]:
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {"series": f"{name}{{{inside}}}", "values": values}


def something(exprs: list[str]) -> dict[str, Any]:
    """A group of promtool's: each of them has an answer at the end."""
    tests = [
        {
            "expr": f"count({expr}) > bool 0",
            "eval_time": f"{LAST_S}s",
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        for expr in exprs
    ]
    return {
        "name": "boards",
        "interval": f"{SCRAPE_S}s",
        "input_series": input_series(),
        "promql_expr_test": tests,
    }


TURNS_S = 300
_CANARY = {"namespace": "voice", "pool": "default", "of": "other"}


def turned(phase: str, expr: str, wanted: dict[int, int]) -> dict[str, Any]:
    """A group of promtool's: a canary comes into a phase at ``TURNS_S``. ``wanted``: how many
    series the expression has, by second."""
    before = TURNS_S // SCRAPE_S - 1
    values = f"0x{before} 1x{_STEPS - before - 1}"
    leads = f"1x{420 // SCRAPE_S - 1} 0x{_STEPS}"
    tests = [
        {
            "expr": f"count({expr}) or vector(0)",
            "eval_time": f"{at_s}s",
            "exp_samples": [{"labels": "{}", "value": count}],
        }
        for at_s, count in wanted.items()
    ]
    return {
        "name": f"canary {phase}",
        "interval": f"{SCRAPE_S}s",
        "input_series": _replica("o-0", phase, values, leads),
        "promql_expr_test": tests,
    }


def led_from(at_s: int, phase: str) -> list[dict[str, str]]:
    """Another replica, that leads from then on and finds the canary in that phase."""
    before = at_s // SCRAPE_S - 1
    values, leads = f"_x{before + 1} 1x{_STEPS}", f"0x{before} 1x{_STEPS}"
    return _replica("o-1", phase, values, leads)


def _replica(pod: str, phase: str, values: str, leads: str) -> list[dict[str, str]]:
    labels = _OPERATOR | {"pod": pod, "instance": pod}
    chosen = labels | _CANARY | {"phase": phase}
    return [
        _series("voiceroom_operator_leader", labels, leads),
        _series("voiceroom_operator_canary_phase", chosen, values),
    ]
