"""Writes what is generated: pages of ``docs/``, parts of ``charts/``, rules and boards in
``dashboards/``.

``--check`` writes nothing and ends with code 1 when a file is not fresh.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from charts.files import files as charts
from voiceroom_api import chaos_metrics, reasons
from voiceroom_api.metric import Metric
from voiceroom_api.metrics import METRICS
from voiceroom_api.probe_metrics import ON_NODE
from voiceroom_api.reasons import Condition
from voiceroom_api.thresholds import PROFILES
from voiceroom_dashboards.boards import acting
from voiceroom_dashboards.boards import document as boards
from voiceroom_dashboards.rules import document
from voiceroom_mixer.core.timing.detect.matrix import MATRIX, Row

ROOT = Path(__file__).resolve().parent.parent

_METRICS_HEAD = """\
# Metrics of the mixer

Generated from `crds/voiceroom_api/metrics.py` by `make generate`.

Served as OpenMetrics on `/metrics`. Base units. A participant is never a label; `room` is one on
`voiceroom_participants` only, and capped. Maxima are over the last 60 s in rotating windows, so
that any number of scrapers see the same. Stable names, units and labels do not change once
released.

| metric | kind | unit | labels | what |
| --- | --- | --- | --- | --- |
"""
_NODE_HEAD = """
## Of a node

`voiceroom-clock-probe` ([clock-probe.md](clock-probe.md)) has those above that begin with
`node_timer_`, `voiceroom_timer_` and `voiceroom_clock_probe_`, and these:

| metric | kind | unit | labels | what |
| --- | --- | --- | --- | --- |
"""
_DOOR_HEAD = """
## Of the chaos door on a node

`voiceroom-chaos-door` ([chaos.md](chaos.md#on-nodes)) has these:

| metric | kind | unit | labels | what |
| --- | --- | --- | --- | --- |
"""
_ROOM_HEAD = """\
# The VoiceRoom resource

Generated from `crds/voicerooms.yaml` by `make generate`. `kubectl apply` and `voiceroom-mixer run`
take the same file.

"""
_POOL_HEAD = """\
# The MixerPool resource

Generated from `crds/mixerpools.yaml` by `make generate`. A VoiceRoom names the pool that runs it
in `spec.poolName`; the pool `default` of a namespace is made when a room first asks for it.

"""
_FIELDS_HEAD = "| field | type | what |\n| --- | --- | --- |\n"
_RULES_HEAD = "\nRules between fields:\n\n"
_CONDITIONS_HEAD = """
## Conditions

Types and reasons do not change once released.

| condition | reason | what |
| --- | --- | --- |
"""
_WITH_PROFILES = tuple(ROOT / "docs" / name for name in ("remediation.md", "nodes.md"))
_THRESHOLDS = {
    "bad when p99 of lateness is above": "bad_ms",
    "good when it is at most": "good_ms",
}
_MATRIX_HEAD = """\
| verdict | whose fault | seen by | told from |
| --- | --- | --- | --- |
"""
_MARKS_HEAD = """
## Labels, annotations, finalizer, taint

| name | what |
| --- | --- |
"""


def metrics_page() -> str:
    """A row for each metric, in their order, then the buckets of the histograms."""
    rows = "".join(_metric_row(metric) for metric in METRICS)
    node = _NODE_HEAD + "".join(_metric_row(metric) for metric in ON_NODE)
    door = _DOOR_HEAD + "".join(_metric_row(metric) for metric in chaos_metrics.METRICS)
    histograms = (metric for metric in (*METRICS, *ON_NODE) if metric.kind == "histogram")
    buckets = "".join(f"| `{metric.name}` | {_buckets(metric)} |\n" for metric in histograms)
    head = "\n## Buckets\n\n| histogram | le |\n| --- | --- |\n"
    return f"{_METRICS_HEAD}{rows}{node}{door}{head}{buckets}"


def _metric_row(metric: Metric) -> str:
    labels = ", ".join(_label(metric, label) for label in metric.labels)
    alpha = " (alpha)" if metric.stability == "alpha" else ""
    return (
        f"| `{metric.name}` | {metric.kind}{alpha} | {metric.unit} | {labels} | {metric.help} |\n"
    )


def _label(metric: Metric, label: str) -> str:
    values = ", ".join(metric.values.get(label, ()))
    return f"`{label}` ({values})" if values else f"`{label}`"


def _buckets(metric: Metric) -> str:
    return ", ".join(f"{edge:g}" for edge in metric.buckets)


def voiceroom_page() -> str:
    """Fields, rules and conditions of a VoiceRoom."""
    return _ROOM_HEAD + _schema("voicerooms") + _conditions(reasons.VOICE_ROOM)


def mixerpool_page() -> str:
    """Fields, rules and conditions of a MixerPool, and the marks that the operator sets."""
    marks = "".join(f"| `{name}` | {what} |\n" for name, what in reasons.MARKS.items())
    return (
        _POOL_HEAD + _schema("mixerpools") + _conditions(reasons.MIXER_POOL) + _MARKS_HEAD + marks
    )


def _schema(plural: str) -> str:
    """A row for each field of spec and status, and the rules between them."""
    crd = yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    rows = "".join(
        _field_row(path, node)
        for part in ("spec", "status")
        for path, node in _fields(part, schema["properties"][part])
    )
    whole = crd["spec"]["names"]["kind"]
    rules = "".join(f"- `{path or whole}`: {words}\n" for path, words in _rules("", schema))
    return f"{_FIELDS_HEAD}{rows}{_RULES_HEAD}{rules}"


def _field_row(path: str, node: Mapping[str, Any]) -> str:
    kind = " \\| ".join(f"`{value}`" for value in node.get("enum", ()) if value != "")
    if "additionalProperties" in node:
        kind = "map of strings"
    plain = node.get("type", "integer or string")
    return f"| `{path}` | {kind or plain} | {' '.join(node['description'].split())} |\n"


def _fields(path: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, child in node.get("properties", {}).items():
        yield f"{path}.{key}", child
        yield from _fields(f"{path}.{key}", child)
    yield from _fields(f"{path}[]", node.get("items", {})) if "items" in node else ()


def _rules(path: str, node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in node.get("x-kubernetes-validations", ()):
        yield (path + rule.get("fieldPath", "")).removeprefix("."), rule["message"]
    for key, child in node.get("properties", {}).items():
        yield from _rules(f"{path}.{key}".removeprefix("."), child)
    yield from _rules(f"{path}[]", node.get("items", {})) if "items" in node else ()


def _conditions(conditions: Mapping[str, Condition]) -> str:
    rows = (
        f"| `{name}` | | {condition.says} |\n"
        + "".join(f"| | `{reason}` | {what} |\n" for reason, what in condition.reasons.items())
        for name, condition in conditions.items()
    )
    return _CONDITIONS_HEAD + "".join(rows)


def generated() -> dict[Path, str]:
    """The text of every generated file."""
    return {
        ROOT / "docs" / "metrics.md": metrics_page(),
        ROOT / "docs" / "voiceroom.md": voiceroom_page(),
        ROOT / "docs" / "mixerpool.md": mixerpool_page(),
        **runbooks(),
        ROOT / "docs" / "alerts.md": alerts_page(),
        **{path: profiles_page(path) for path in _WITH_PROFILES},
        ROOT / "docs" / "detectors.md": detectors_page(),
        ROOT / "dashboards" / "voiceroom.rules.yaml": document.rules_yaml(),
        ROOT / "charts" / "voiceroom" / "files" / "voiceroom.rules.yaml": document.rules_yaml(),
        **_boards(),
        **_acting(),
    } | charts()


def runbooks(folder: Path = ROOT / "docs" / "runbooks") -> dict[Path, str]:
    """The index, and each page with a fresh head: the rest of it is written by hand."""
    paths = {alert.name: folder / f"{alert.name}.md" for alert in document.alerts()}
    if missing := [name for name, path in paths.items() if not path.exists()]:
        raise ValueError(f"{folder}: no page for {', '.join(missing)}")
    pages = {
        paths[alert.name]: document.runbook(alert, paths[alert.name].read_text(encoding="utf-8"))
        for alert in document.alerts()
    }
    return {folder / "README.md": document.index(), **pages}


def _boards() -> dict[Path, str]:
    """Each board twice: a chart holds no file from beyond its folder."""
    folders = (ROOT / "dashboards", ROOT / "charts" / "voiceroom" / "files" / "boards")
    return {folder / name: text for folder in folders for name, text in boards.texts().items()}


def _acting() -> dict[Path, str]:
    """Twice as well."""
    dashboards, chart = ROOT / "dashboards", ROOT / "charts" / "voiceroom" / "files"
    return {
        folder / "alerting" / name: text
        for folder in (dashboards, chart)
        for name, text in acting.files().items()
    }


def alerts_page(path: Path = ROOT / "docs" / "alerts.md") -> str:
    """The page with a fresh table of alerts."""
    return _between(path, "alerts", document.table())


def profiles_page(path: Path) -> str:
    """A page with a fresh table of thresholds."""
    rows = "".join(
        f"| {words} | {' | '.join(f'{getattr(of, field):g} ms' for of in PROFILES.values())} |\n"
        for words, field in _THRESHOLDS.items()
    )
    names = " | ".join(f"`{name}`" for name in PROFILES)
    rule = " | ".join("---" for _ in PROFILES)
    return _between(path, "profiles", f"| | {names} |\n| --- | {rule} |\n{rows}")


def detectors_page(path: Path = ROOT / "docs" / "detectors.md") -> str:
    """The page with a fresh detector matrix."""
    rows = "".join(map(_detector_row, MATRIX))
    return _between(path, "matrix", _MATRIX_HEAD + rows)


def _detector_row(row: Row) -> str:
    return f"| `{row.kind}` | {row.fault} | {row.seen_by} | {row.told_from} |\n"


def _between(path: Path, what: str, text: str) -> str:
    """The page with ``text`` between the marks of ``what``."""
    begin, end = f"<!-- {what}: made by `make generate` -->\n", f"<!-- /{what} -->\n"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path}: the marks of the table of {what} are missing")
    return f"{before}{begin}{text}{end}{after}"


def main() -> int:
    """Write, or check."""
    stale = [
        path
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not fresh: run make generate", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(generated()[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
