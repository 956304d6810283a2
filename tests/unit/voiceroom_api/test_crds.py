"""What holds for both CRDs."""

import re
from pathlib import Path

import pytest
import yaml

from fakes.crds import Crd, load, nodes, undescribed
from voiceroom_api import names, reasons
from voiceroom_api.names import (
    API_VERSION,
    CATEGORY,
    GROUP,
    MIXER_POOL,
    MIXER_POOL_CONDITIONS,
    PHASES,
    VERDICTS,
    VERSION,
    VOICE_ROOM,
    VOICE_ROOM_CONDITIONS,
    verdict_reason,
)

VOICEROOMS = load("voicerooms")
MIXERPOOLS = load("mixerpools")
BOTH = pytest.mark.parametrize("crd", [VOICEROOMS, MIXERPOOLS], ids=lambda crd: crd.names["plural"])
KEYWORDS = {
    "type", "description", "default", "enum", "minimum", "maximum", "minLength", "maxLength",
    "pattern", "format", "properties", "required", "items", "maxItems", "minItems", "anyOf",
    "additionalProperties", "maxProperties", "x-kubernetes-validations", "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys", "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
}  # fmt: skip


@pytest.mark.parametrize(
    ("crd", "kind", "short"), [(VOICEROOMS, VOICE_ROOM, "vr"), (MIXERPOOLS, MIXER_POOL, "mxp")]
)
def test_names(crd: Crd, kind: str, short: str) -> None:
    spec = crd.document["spec"]
    assert (spec["group"], spec["scope"], crd.version["name"]) == (GROUP, "Namespaced", VERSION)
    assert crd.document["metadata"]["name"] == f"{crd.names['plural']}.{GROUP}"
    assert crd.names["kind"] == kind
    assert (crd.names["shortNames"], crd.names["categories"]) == ([short], [CATEGORY])
    assert f"{GROUP}/{crd.version['name']}" == API_VERSION


@BOTH
def test_every_field_is_described(crd: Crd) -> None:
    for part in ("spec", "status"):
        for path, node in nodes(part, crd.part(part)):
            if path.endswith(("[]", "{}")) and node["type"] != "object":
                continue
            assert node.get("description", "") or path.endswith("history[]"), path


@BOTH
def test_every_field_tells_its_default(crd: Crd) -> None:
    for path, node in nodes("spec", crd.part("spec")):
        if "default" in node and node.get("type") != "object":
            value = node["default"]
            shown = ", ".join(value) if isinstance(value, list) else str(value).lower()
            assert f"default {shown}." in node["description"].lower(), path


@BOTH
def test_an_optional_value_tells_what_holds_without_it(crd: Crd) -> None:
    optional = [
        (path, node)
        for path, node in nodes("spec", crd.part("spec"))
        if "default" not in node and node.get("type") in ("boolean", "integer", "number")
    ]
    required = {
        f"{path}.{key}"
        for path, node in nodes("spec", crd.part("spec"))
        for key in node.get("required", ())
    }
    for path, node in optional:
        assert path in required or "unset, " in node["description"].lower(), path


@BOTH
def test_bounds_are_told(crd: Crd) -> None:
    for path, node in nodes("spec", crd.part("spec")):
        if node.get("type") in ("integer", "number") and "maximum" in node:
            assert f"{node['minimum']} to {node['maximum']}" in node["description"], path


@BOTH
def test_the_schema_is_structural(crd: Crd) -> None:
    """No keyword that Kubernetes refuses, and a type everywhere."""
    for path, node in nodes("", crd.root):
        assert set(node) <= KEYWORDS, path
        assert ("type" in node) != node.get("x-kubernetes-int-or-string", False), path


@BOTH
def test_everything_is_bounded(crd: Crd) -> None:
    """Else the cost of a CEL rule has no bound either, and the API server refuses the CRD."""
    for path, node in nodes("spec", crd.part("spec")):
        kind = node.get("type")
        if kind == "array":
            assert "maxItems" in node and "x-kubernetes-list-type" in node, path  # noqa: PT018
        if kind == "string" and "enum" not in node:
            assert "maxLength" in node, path
        if "additionalProperties" in node:
            assert "maxProperties" in node, path


@BOTH
def test_columns_and_selectable_fields_point_at_fields(crd: Crd) -> None:
    known = {f".{path}" for part in ("spec", "status") for path, _ in nodes(part, crd.part(part))}
    known |= {".metadata.creationTimestamp"}
    known |= {
        f'.status.conditions[?(@.type=="{condition}")].{field}'
        for condition in conditions_of(crd)
        for field in ("status", "reason")
    }
    columns = [column["jsonPath"] for column in crd.version["additionalPrinterColumns"]]
    selectable = [field["jsonPath"] for field in crd.version["selectableFields"]]
    assert set(columns + selectable) <= known


def conditions_of(crd: Crd) -> tuple[str, ...]:
    return VOICE_ROOM_CONDITIONS if crd is VOICEROOMS else MIXER_POOL_CONDITIONS


@BOTH
def test_conditions_are_named(crd: Crd) -> None:
    words = crd.part("status")["properties"]["conditions"]["description"]
    *some, last = conditions_of(crd)
    assert words == f"{', '.join(some)} and {last}."


def test_conditions_are_the_same_in_both() -> None:
    pool, room = (
        undescribed(crd.part("status")["properties"]["conditions"])
        for crd in (MIXERPOOLS, VOICEROOMS)
    )
    assert pool == room
    assert pool["x-kubernetes-list-map-keys"] == ["type"]


@BOTH
def test_every_condition_has_reasons_that_the_schema_takes(crd: Crd) -> None:
    told = reasons.VOICE_ROOM if crd is VOICEROOMS else reasons.MIXER_POOL
    assert tuple(told) == conditions_of(crd)
    pattern = crd.part("status")["properties"]["conditions"]["items"]["properties"]["reason"]
    for condition in told.values():
        for reason, meaning in condition.reasons.items():
            assert re.search(pattern["pattern"], reason)
            assert meaning


@BOTH
def test_the_file_has_no_merge_keys(crd: Crd) -> None:
    """Strict readers take an overridden key for one that comes twice."""
    path = Path(__file__).parents[3] / "crds" / f"{crd.names['plural']}.yaml"
    tokens = yaml.scan(path.read_text())
    assert "<<" not in {token.value for token in tokens if isinstance(token, yaml.ScalarToken)}


def test_every_reason_is_told() -> None:
    told = {
        reason
        for conditions in (reasons.VOICE_ROOM, reasons.MIXER_POOL)
        for condition in conditions.values()
        for reason in condition.reasons
    }
    other = {VOICE_ROOM, MIXER_POOL, *PHASES, *VOICE_ROOM_CONDITIONS}
    words = {value for value in vars(names).values() if isinstance(value, str)}
    camel = {word for word in words if re.fullmatch("[A-Z][A-Za-z]+", word)}
    assert camel - other <= told
    assert {verdict_reason(verdict) for verdict in VERDICTS} <= told


def test_every_mark_is_told() -> None:
    prefixes = (f"{GROUP}/", "cluster-autoscaler.")
    words = {value for value in vars(names).values() if isinstance(value, str)}
    assert {word for word in words if word.startswith(prefixes)} - {API_VERSION} == set(
        reasons.MARKS
    )
