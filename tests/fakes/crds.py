"""The CRDs, and what they must say of a typed twin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from voiceroom_api.duration import MAX_CHARS, PATTERN, format_duration
from voiceroom_api.fields import default_of, is_required, key_of, rules, to_dict
from voiceroom_api.rules import (
    Choice,
    Entries,
    Flag,
    Items,
    Number,
    Opaque,
    Quantity,
    Relation,
    Section,
    Span,
    Text,
    Whole,
)

Node = Mapping[str, Any]
VALIDATIONS = "x-kubernetes-validations"


@dataclass(frozen=True)
class Crd:
    """One CustomResourceDefinition."""

    document: Node

    @property
    def names(self) -> Node:
        names: Node = self.document["spec"]["names"]
        return names

    @property
    def version(self) -> Node:
        version: Node = self.document["spec"]["versions"][0]
        return version

    @property
    def root(self) -> Node:
        root: Node = self.version["schema"]["openAPIV3Schema"]
        return root

    def part(self, name: str) -> Node:
        """``spec`` or ``status``."""
        part: Node = self.root["properties"][name]
        return part


def load(plural: str) -> Crd:
    """``crds/PLURAL.yaml``."""
    path = Path(__file__).parents[2] / "crds" / f"{plural}.yaml"
    return Crd(yaml.safe_load(path.read_text()))


def keywords(rule: Any) -> dict[str, Any]:
    """What the CRD must say of a field with this rule."""
    match rule:
        case Whole(allowed=()):
            return {"type": "integer", "minimum": rule.low, "maximum": rule.high}
        case Whole():
            return {"type": "integer", "enum": list(rule.allowed)}
        case Number():
            return {"type": "number", "minimum": rule.low, "maximum": rule.high}
        case Flag():
            return {"type": "boolean"}
        case Choice():
            return {"type": "string", "enum": list(rule.allowed)}
        case Text():
            return _text(rule)
        case Span():
            return _text(Text("", MAX_CHARS, pattern=PATTERN)) | {VALIDATIONS: [_span(rule)]}
        case Quantity():
            return _quantity(rule)
        case Opaque():
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return _composite(rule)


def _composite(rule: Any) -> dict[str, Any]:
    match rule:
        case Section():
            return section(rule.into)
        case Entries():
            return {
                "type": "object",
                "maxProperties": rule.high,
                "additionalProperties": keywords(rule.of),
            } | _validations(rule.relations)
        case Items():
            least = {"minItems": rule.low} if rule.low else {}
            return (
                {"type": "array", "maxItems": rule.high, "items": keywords(rule.of)}
                | least
                | _list_type(rule.unique)
                | _validations(rule.relations)
            )
    raise AssertionError(rule)


def _text(rule: Text) -> dict[str, Any]:
    pattern = {"pattern": rule.pattern} if rule.pattern else {}
    bounds = {"type": "string", "minLength": rule.low, "maxLength": rule.high}
    return bounds | pattern | _validations(rule.relations)


def _span(span: Span) -> dict[str, str]:
    low, high = format_duration(span.low_s), format_duration(span.high_s)
    return {
        "rule": f"duration(self) >= duration('{low}') && duration(self) <= duration('{high}')",
        "message": f"must be a duration from {low} to {high}",
    }


def _quantity(rule: Quantity) -> dict[str, Any]:
    return {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "maxLength": 16,
        VALIDATIONS: [{"rule": rule.cel, "message": rule.message}],
    }


def _list_type(unique: tuple[str, ...]) -> dict[str, Any]:
    if not unique:
        return {"x-kubernetes-list-type": "atomic"}
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(unique)}


def _validations(relations: tuple[Relation, ...]) -> dict[str, Any]:
    return {VALIDATIONS: as_rules(relations)} if relations else {}


def as_rules(relations: tuple[Relation, ...], path: str = "") -> list[dict[str, str]]:
    """As in the CRD; ``path`` leads from where they stand to what they are about."""
    return [
        {"rule": relation.cel, "message": relation.message}
        | ({"fieldPath": path + relation.at} if relation.at else {})
        for relation in relations
    ]


def section(spec: Any, *, relations: bool = True) -> dict[str, Any]:
    """What the CRD must say of a dataclass; without the relations where they stand elsewhere."""
    node: dict[str, Any] = {"type": "object", "properties": {}}
    for spec_field in fields(spec):
        rule = rules(spec)[spec_field.name]
        node["properties"][key_of(spec_field)] = keywords(rule) | _default(rule, spec_field)
    required = [key_of(spec_field) for spec_field in fields(spec) if is_required(spec_field)]
    if required:
        node["required"] = required
    return node | (_validations(spec.RELATIONS) if relations else {})


def _default(rule: Any, spec_field: Any) -> dict[str, Any]:
    value = default_of(spec_field)
    if value in (MISSING, None, (), {}):
        return {}
    if isinstance(rule, Section):
        # Rules of a section see its default as it stands, before the defaults inside fill it.
        return {"default": to_dict(value) if value.RELATIONS else {}}
    return {"default": list(value) if isinstance(value, tuple) else value}


def undescribed(node: Any) -> Any:
    """The schema without its words."""
    if isinstance(node, list):
        return [undescribed(item) for item in node]
    if not isinstance(node, dict):
        return node
    described = isinstance(node.get("description"), str)
    return {
        key: undescribed(value)
        for key, value in node.items()
        if not (key == "description" and described)
    }


def nodes(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """All schemas below ``node``, itself first, with their paths."""
    yield path, node
    for key, child in node.get("properties", {}).items():
        yield from nodes(f"{path}.{key}", child)
    for key, step in (("items", "[]"), ("additionalProperties", "{}")):
        if key in node:
            yield from nodes(f"{path}{step}", node[key])


def filled(node: Node, value: Any) -> Any:
    """``value`` with the defaults of the schema, as the API server fills them in."""
    if isinstance(value, list):
        return [filled(node.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    children = node.get("properties", {})
    given = dict(value)
    for key, child in children.items():
        if "default" in child and given.get(key) is None:
            given[key] = child["default"]
    return {key: filled(children.get(key, {}), part) for key, part in given.items()}
