"""Whether command lines of the docs name what there is: our plugin's own parser, the fields of our
resources, the values of our chart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import yaml

from harness.pages import ROOT
from voiceroom_kubectl import arguments

KINDS = {
    "vr": "voicerooms",
    "voiceroom": "voicerooms",
    "voicerooms": "voicerooms",
    "mxp": "mixerpools",
    "mixerpool": "mixerpools",
    "mixerpools": "mixerpools",
}
LOOKING = {"get", "describe", "logs", "top", "exec", "auth", "explain", "wait"}
CHANGING = {
    "apply",
    "cordon",
    "uncordon",
    "delete",
    "patch",
    "edit",
    "label",
    "drain",
    "annotate",
    "rollout",
    "config",
}
OF_PLUGIN = {"rooms", "pools", "top", "describe", "diagnose", "token"}
"""Commands of the plugin that change nothing."""


def wrong(words: list[str]) -> str:
    """What is wrong with a line; empty when nothing is."""
    if words[0] == "helm":
        return "".join(_wrong_values(words))
    if words[1] == "voiceroom":  # our plugin
        return _wrong_plugin(words[2:])
    if not (LOOKING | CHANGING) & set(words):
        return f"kubectl: no verb in {words}"
    return "".join((*_wrong_patch(words), *_wrong_jsonpath(words)))


def looks_only(words: list[str]) -> bool:
    """It changes nothing."""
    if words[:2] == ["kubectl", "voiceroom"]:
        return words[2] in OF_PLUGIN or words[2:4] == ["chaos", "show"]
    if words[:2] == ["kubectl", "exec"]:
        return _reads_only(words[words.index("--") + 1 :])
    return words[0] == "kubectl" and words[1] in LOOKING


def _reads_only(inside: list[str]) -> bool:
    """A command in a pod that prints files."""
    if inside[:2] == ["sh", "-c"]:
        return re.fullmatch(r"cat [\w/.]+ 2>/dev/null \|\| cat [\w/.]+", inside[2]) is not None
    return inside[0] in {"cat", "head"}


def _wrong_plugin(words: list[str]) -> str:
    try:
        arguments.parse(words)
    except SystemExit as end:
        return f"kubectl voiceroom {' '.join(words)}: exit code {end.code}"
    return ""


def _wrong_patch(words: list[str]) -> Iterator[str]:
    kind = _kind(words)
    for flag, text in pairwise(words):
        if flag == "-p" and kind:
            yield from _unknown(json.loads(text), _schema(kind), kind)


def _wrong_jsonpath(words: list[str]) -> Iterator[str]:
    kind = _kind(words)
    for word in words:
        path = re.fullmatch(r"jsonpath=\{\.([\w.]+)\}", word)
        if path and kind:
            value: Any = {}
            for part in reversed(path[1].split(".")):
                value = {part: value}
            yield from _unknown(value, _schema(kind), kind)


def _kind(words: list[str]) -> str:
    named = [word for word in words[2:] if not word.startswith("-")]
    return KINDS.get(named[0], "") if named else ""


def _unknown(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """Keys that the schema does not have; a map of strings has any."""
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return
    for key, child in value.items():
        known = schema.get("properties", {})
        if key in known:
            yield from _unknown(child, known[key], f"{where}.{key}")
        elif "x-kubernetes-preserve-unknown-fields" not in schema:
            yield f"{where} has no {key}. "


@cache
def _schema(plural: str) -> Mapping[str, Any]:
    crd = yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text())
    made: Mapping[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return made


def _wrong_values(words: list[str]) -> Iterator[str]:
    charts = [word for word in words if word.startswith("charts/")]
    if not all((ROOT / chart / "Chart.yaml").exists() for chart in charts):
        yield f"no such chart: {charts}"
    for flag, text in pairwise(words):
        if flag == "--set":
            for one in text.split(","):
                yield from _unknown_value(one.partition("=")[0], charts[0])


def _unknown_value(name: str, chart: str) -> Iterator[str]:
    found = yaml.safe_load((ROOT / chart / "values.yaml").read_text())
    for part in name.split("."):
        if found == {}:
            return
        if not isinstance(found, dict) or part not in found:
            yield f"{chart} has no value {name}"
            return
        found = found[part]
