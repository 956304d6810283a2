"""``charts/voiceroom/values.schema.json``: made from the values, and for the default pool from the
resource's own schema. Unknown keys are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

from charts.values import CHART, ROOT, defaults, values

Schema = dict[str, Any]

PATH: Final = CHART / "values.schema.json"
_STRINGS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
_OBJECTS: Final[Schema] = {"type": "array", "items": {"type": "object"}}
_ANY_OBJECT: Final[Schema] = {"type": "object"}
_LABEL: Final = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_NAMESPACE: Final[Schema] = {"type": "string", "maxLength": 63, "pattern": _LABEL}
_NAMESPACES: Final[Schema] = {"type": "array", "uniqueItems": True, "items": _NAMESPACE}
_OWN_OR_NAMED: Final[Schema] = {"type": "string", "pattern": f"^$|{_LABEL}"}
_INTERVAL: Final[Schema] = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h))+$"}
_NAMED: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
        "additionalProperties": False,
    },
}
_SPECIAL: Final[Mapping[str, Schema]] = {
    "image.repository": {"type": "string", "minLength": 1},
    "image.digest": {"type": "string", "pattern": "^$|^sha256:[0-9a-f]{64}$"},
    "image.pullPolicy": {"type": "string", "enum": ["Always", "IfNotPresent", "Never"]},
    "imagePullSecrets": _NAMED,
    "scope.namespaces": _NAMESPACES,
    "mixer.networkPolicy.scraperNamespaces": _NAMESPACES,
    "operator.replicas": {"type": "integer", "minimum": 1, "maximum": 10},
    "operator.logFormat": {"type": "string", "enum": ["json", "text"]},
    "operator.logLevel": {"type": "string", "enum": ["debug", "info", "warning", "error"]},
    "operator.extraEnv": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    "operator.resources": _ANY_OBJECT,
    "operator.tolerations": _OBJECTS,
    "operator.affinity": _ANY_OBJECT,
    "operator.topologySpreadConstraints": _OBJECTS,
    "operator.networkPolicy.from": _OBJECTS,
    "operator.networkPolicy.alertsFrom": _OBJECTS,
    "runtimeClass.name": {"type": "string", "pattern": _LABEL},
    "runtimeClass.handler": {"type": "string", "pattern": _LABEL},
    "runtimeClass.tolerations": _OBJECTS,
    "podMonitor.namespace": _OWN_OR_NAMED,
    "podMonitor.interval": _INTERVAL,
    "prometheusRule.namespace": _OWN_OR_NAMED,
    "prometheusRule.grafanaUrl": {"type": "string", "pattern": "^$|^https?://"},
    "dashboards.labels": _STRINGS,
    "dashboards.alerting.labels": _STRINGS,
    "dashboards.namespace": _OWN_OR_NAMED,
    "serviceMonitor.namespace": _OWN_OR_NAMED,
    "serviceMonitor.interval": _INTERVAL,
    "chaos.node.journal": {"type": "string", "pattern": "^/.+"},
    "chaos.node.resources": _ANY_OBJECT,
    "chaos.node.tolerations": _OBJECTS,
    "clockProbe.schedLatency": {"type": "string", "enum": ["none", "auto", "ebpf", "schedstat"]},
    "clockProbe.resources": _ANY_OBJECT,
    "clockProbe.tolerations": _OBJECTS,
    "signalling.pool": {"type": "string", "maxLength": 48, "pattern": _LABEL},
    "signalling.namespace": _OWN_OR_NAMED,
    "httpRoute.parentRefs": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    "httpRoute.hostnames": {"type": "array", "items": {"type": "string"}},
    "tests.namespace": _OWN_OR_NAMED,
    "tests.timeout": {"type": "string", "pattern": "^([0-9]+(s|m|h))+$"},
}
_NUMBERS: Final[Mapping[type, str]] = {bool: "boolean", int: "integer", str: "string"}
_KEPT: Final = frozenset(
    {
        "description",
        "enum",
        "format",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "pattern",
        "required",
        "type",
    }
)


def schema_text() -> str:
    """The whole file."""
    whole: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart voiceroom",
    }
    whole |= _object(defaults(), "", {value.path: value.says for value in values()})
    # where the chart is part of another, Helm adds it
    whole["properties"]["global"] = _ANY_OBJECT
    return json.dumps(whole, indent=2) + "\n"


def _object(given: Mapping[str, Any], path: str, says: Mapping[str, str]) -> Schema:
    properties = {key: _value(value, f"{path}{key}", says) for key, value in given.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _value(value: Any, path: str, says: Mapping[str, str]) -> Schema:
    words = {"description": says[path]} if path in says else {}
    if path == "defaultPool":
        return words | pool_spec()
    if path in _SPECIAL:
        return words | _SPECIAL[path]
    if isinstance(value, Mapping):
        return words | (_object(value, f"{path}.", says) if value else _STRINGS)
    return words | {"type": _NUMBERS[type(value)]}


def pool_spec() -> Schema:
    """The ``spec`` of a MixerPool, as JSON schema."""
    crd = yaml.safe_load((ROOT / "crds" / "mixerpools.yaml").read_text(encoding="utf-8"))
    whole = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return strict(whole["properties"]["spec"])


def strict(node: Mapping[str, Any]) -> Schema:
    """A structural schema of Kubernetes as JSON schema in which unknown keys are refused."""
    made = {key: value for key, value in node.items() if key in _KEPT}
    if node.get("x-kubernetes-int-or-string"):
        made |= {"type": ["integer", "string"]}
    if "description" in made:
        made["description"] = " ".join(made["description"].split())
    if "properties" in node:
        made["properties"] = {key: strict(child) for key, child in node["properties"].items()}
    if "items" in node:
        made["items"] = strict(node["items"])
    if isinstance(more := node.get("additionalProperties"), Mapping):
        made["additionalProperties"] = strict(more)
    elif "properties" in node and not node.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False
    return made
