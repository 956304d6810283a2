"""Specs for a CRD, good and slightly bad, and the CRD's judgement without an API server."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError, validators  # type: ignore[import-untyped]

from fakes.crds import VALIDATIONS, Crd, Node, filled, nodes

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2000, 2000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
Cel = Mapping[str, Callable[[Any], bool]]
"""The rules that JSON schema cannot say, in Python, by their text."""


class Judge:
    """Judges a spec as the API server does: drops nulls, fills defaults, then checks."""

    def __init__(self, crd: Crd, cel: Cel) -> None:
        """Raises ``KeyError`` at the first rule that ``cel`` does not know."""
        self._spec = crd.part("spec")
        rules = [rule for rule in crd.root.get(VALIDATIONS, ()) if "metadata" not in rule["rule"]]
        rules = [rule for rule in rules if "oldSelf" not in rule["rule"]]
        root = {"type": "object", "properties": {"spec": self._spec}, VALIDATIONS: rules}
        for _, node in nodes("", root):
            for rule in node.get(VALIDATIONS, ()):
                cel[rule["rule"]]
        lists = {"x-kubernetes-list-map-keys": _map_keys}
        checks = lists | {VALIDATIONS: partial(_rules, cel)}
        self._schema: Any = validators.extend(Draft202012Validator, lists)(_strict(root))
        self._all: Any = validators.extend(Draft202012Validator, checks)(_strict(root))

    def errors(self, spec: object) -> list[str]:
        """What is wrong with a spec, in jsonschema's words; the rules see only what fits."""
        document = {"spec": filled(self._spec, _pruned(spec, self._spec))}
        found = list(self._schema.iter_errors(document)) or self._all.iter_errors(document)
        return [error.message for error in found]


def _rules(
    cel: Cel, _: Any, rules: list[dict[str, str]], instance: Any, __: dict[str, Any]
) -> Iterator[ValidationError]:
    for rule in rules:
        if not cel[rule["rule"]](instance):
            yield ValidationError(rule["message"])


def _map_keys(
    _: Any, keys: list[str], instance: Any, __: dict[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, list) and all(isinstance(item, dict) for item in instance):
        told = [tuple(str(item.get(key)) for key in keys) for item in instance]
        if len(set(told)) < len(told):
            yield ValidationError(f"two items agree in {keys}")


def _strict(node: Any) -> Any:
    """The schema as kubectl holds to it: unknown fields are errors."""
    node = copy.deepcopy(node)
    for key, child in node.get("properties", {}).items():
        node["properties"][key] = _strict(child)
    for key in ("items", "additionalProperties"):
        if key in node:
            node[key] = _strict(node[key])
    if "properties" in node:
        node["additionalProperties"] = False
    if "pattern" in node:
        node["pattern"] = node["pattern"].replace("$", r"\Z")  # Go's $ is the very end
    return node


def _pruned(value: Any, node: Node) -> Any:
    """Kubernetes drops nulls of fields that it knows and that are not nullable."""
    if isinstance(value, list):
        return [_pruned(item, node.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    known, others = node.get("properties", {}), node.get("additionalProperties")
    return {
        key: _pruned(child, known.get(key, {}))
        for key, child in value.items()
        if child is not None or not (key in known or others)
    }


Samples = Mapping[str, list[Any]]
"""Good values of strings by the name of their field, where a schema cannot tell them."""


def good(name: str, node: Node, samples: Samples) -> st.SearchStrategy[Any]:
    """What the schema wants, at its edges."""
    if name in samples:
        return st.sampled_from(samples[name])
    match node:
        case {"enum": allowed}:
            return st.sampled_from(allowed)
        case {"type": "integer" | "number", "minimum": low, "maximum": high}:
            return st.sampled_from([low, high, node.get("default", low), float(low)])
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "string"}:
            return st.text(min_size=node.get("minLength", 0), max_size=min(9, node["maxLength"]))
        case {"type": "object", "x-kubernetes-preserve-unknown-fields": True}:
            return st.just({"any": {"thing": [1, None]}})
    return st.just(least(node, samples))


def least(node: Node, samples: Samples) -> Any:
    """The smallest value that the schema takes, rules between fields aside."""
    if node.get("type") == "array":
        items = least(node["items"], samples)
        return [items] * node.get("minItems", 0)
    needed = {key: node["properties"][key] for key in node.get("required", ())}
    return {key: _any_good(key, child, samples) for key, child in needed.items()}


def _any_good(name: str, node: Node, samples: Samples) -> Any:
    if name in samples:
        return samples[name][0]
    if "enum" in node:
        return node["enum"][0]
    if node.get("type") == "integer":
        return node["minimum"]
    return least(node, samples) if node["type"] in ("array", "object") else "a"


def bad(node: Node) -> list[Any]:
    """What the schema does not want, next to its edges."""
    match node:
        case {"enum": _}:
            return [25, "shared", "Off ", False]
        case {"type": "integer" | "number", "minimum": low, "maximum": high}:
            return [low - 1, high + 1, low + 0.5, str(low), True]
        case {"type": "boolean"}:
            return [0, "true"]
        case {"type": "array"}:
            return [{}, "x", [None], ["x"] * 65]
        case {"type": "string", "maxLength": high}:
            return ["", "x" * (high + 1), "59s", "24h1s", "1h\n", "A b", "-a", 5]
        case {"type": "object"}:
            return [[], "x", {"frames": 1}, {"": "a"}, {"voiceroom.dev/a": "b"}]
    return [0, -1, 0.5, "1e3", "1Mi", "512m", "99999999999999999", "", True]


Path = tuple[str, ...]
"""Keys that lead to a field; ``[]`` stands for a list's first item."""


def places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every field below ``node``."""
    for key, child in node.get("properties", {}).items():
        yield (*path, key), child
        yield from places(child, (*path, key))
    if "items" in node:
        yield (*path, "[]"), node["items"]
        yield from places(node["items"], (*path, "[]"))


def put(into: Any, node: Node, path: Path, value: Any, samples: Samples) -> None:
    """Sets the field at ``path``, and what has to be there for it to be."""
    step, *rest = path
    child = node["items"] if step == "[]" else node["properties"][step]
    part = copy.deepcopy(value)
    if rest:
        there = into[0] if step == "[]" and into else None if step == "[]" else into.get(step)
        part = copy.deepcopy(least(child, samples)) if there is None else there
        put(part, child, tuple(rest), value, samples)
    if step == "[]":
        into[:1] = [part]
    else:
        into[step] = part


def specs(spec: Node, samples: Samples) -> st.SearchStrategy[Any]:
    """A few good fields of a spec, anywhere in it, and perhaps one that is not."""
    fields = list(places(spec))
    fine = st.one_of([_field(path, good(path[-1], node, samples)) for path, node in fields])
    odd = st.one_of([_field(path, st.sampled_from(bad(node)) | ANY) for path, node in fields])
    return st.builds(
        lambda some, last: _spec(spec, [*some, *last], samples),
        st.lists(fine, max_size=5),
        st.lists(odd, max_size=1),
    )


def _field(path: Path, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Path, Any]]:
    return st.tuples(st.just(path), values)


def _spec(node: Node, fields: list[tuple[Path, Any]], samples: Samples) -> Any:
    spec: dict[str, Any] = {}
    for path, value in fields:
        put(spec, node, path, value, samples)
    return spec
