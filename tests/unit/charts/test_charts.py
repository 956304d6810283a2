"""What of the charts can be told without Helm; tests/cluster/chart has the rest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from charts import install, manifests, schema, values
from voiceroom_api import fields
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.problems import Problem
from voiceroom_operator.rights import FLAGS, RIGHTS, Scope

ROOT = Path(__file__).parents[3]
Verbs = dict[tuple[str, str], set[str]]


def objects(name: str) -> list[dict[str, Any]]:
    """Of a committed manifest."""
    text = (manifests.FOLDER / name).read_text()
    return [made for made in yaml.safe_load_all(text) if made]


def granted(name: str, kind: str, suffix: str) -> Verbs:
    """By group and resource, of the role whose name ends so."""
    found: Verbs = {}
    (role,) = [
        made
        for made in objects(name)
        if made["kind"] == kind and made["metadata"]["name"].endswith(suffix)
    ]
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault((group, resource), set()).update(rule["verbs"])
    return found


def used(scope: Scope) -> Verbs:
    """What the operator's code needs."""
    found: Verbs = {}
    for right in RIGHTS:
        if right.scope == scope:
            found.setdefault((right.group, right.resource), set()).update(right.verbs)
    return found


@pytest.mark.parametrize(
    ("name", "kind"), [("voiceroom.yaml", "ClusterRole"), ("voiceroom-namespaced.yaml", "Role")]
)
def test_the_roles_grant_what_the_operator_uses_and_nothing_else(name: str, kind: str) -> None:
    assert granted(name, kind, "voiceroom-operator") == used("watched")
    assert granted(name, "Role", "voiceroom-operator-leader") == used("own")
    assert granted(name, "ClusterRole", "voiceroom-operator-nodes") == used("cluster")


@pytest.mark.parametrize("name", ["voiceroom.yaml", "voiceroom-namespaced.yaml"])
def test_nodes_are_changed_by_nobody_unless_taints_are_switched_on(name: str) -> None:
    assert used("taints") == {("", "nodes"): {"patch"}}
    for role in (made for made in objects(name) if made["kind"] in ("ClusterRole", "Role")):
        for rule in role["rules"]:
            if "nodes" in rule["resources"]:
                assert set(rule["verbs"]) == {"get", "list", "watch"}
    template = (ROOT / "charts/voiceroom/templates/roles.yaml").read_text()
    guarded = template.partition("{{- if .Values.operator.taintNodes }}")[2]
    assert "verbs: [get, list, patch, watch]" in guarded.partition("{{- else }}")[0]


@pytest.mark.parametrize("name", ["voiceroom.yaml", "voiceroom-namespaced.yaml"])
def test_the_operator_is_started_with_options_that_it_has(name: str) -> None:
    (deployment,) = [made for made in objects(name) if made["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    known = {flag.name for flag in FLAGS}
    variables = {flag.variable for flag in FLAGS}
    assert container["command"] == ["voiceroom-operator"]
    for argument in container["args"]:
        option, equals, _ = argument.partition("=")
        assert option in known
        assert equals
    assert {entry["name"] for entry in container["env"]} <= variables


def test_the_definitions_are_those_of_the_repository() -> None:
    files = ROOT / "charts" / "voiceroom-crds" / "files"
    given = {path.name: path.read_bytes() for path in (ROOT / "crds").glob("*.yaml")}
    assert {path.name: path.read_bytes() for path in files.iterdir()} == given


def test_every_value_is_explained() -> None:
    def leaves(node: dict[str, Any], path: str = "") -> set[str]:
        found = set()
        for key, value in node.items():
            deeper = isinstance(value, dict) and value and f"{path}{key}" not in explained
            found |= leaves(value, f"{path}{key}.") if deeper else {f"{path}{key}"}
        return found

    explained = {value.path for value in values.values()}
    assert leaves(values.defaults()) == explained
    assert all(value.says.endswith(".") for value in values.values())


def test_the_defaults_fit_the_schema() -> None:
    jsonschema.validate(values.defaults(), json.loads(schema.schema_text()))


def test_the_schema_takes_every_pool_that_the_resource_takes() -> None:
    jsonschema.validate(MixerPoolSpec().to_dict(), schema.pool_spec())


@pytest.mark.parametrize(
    "pool",
    [
        {"size": {"minimum": 1}},
        {"realtime": {"mode": "Hard"}},
        {"network": {"udpPort": 80}},
        {"tolerations": [{"keys": "a"}]},
        {"resources": {"limits": {"cpu": True}}},
    ],
)
def test_the_schema_refuses_what_the_resource_refuses(pool: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(pool, schema.pool_spec())


def test_the_values_for_kind_fit_the_schema() -> None:
    page = (ROOT / "docs" / "kind.md").read_text()
    (block,) = re.findall(r"^cat > values-kind.yaml <<'EOF'\n(.*?)^EOF$", page, re.M | re.S)
    (more,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    for text in (block, block + more):
        given = yaml.safe_load(text)
        jsonschema.validate(given, json.loads(schema.schema_text()))
        problems: list[Problem] = []
        assert fields.read(MixerPoolSpec, given["defaultPool"], "spec", problems), problems


def test_a_page_without_its_marks_is_told(tmp_path: Path) -> None:
    page = tmp_path / "install.md"
    page.write_text("# Installing\n")
    with pytest.raises(ValueError, match="marks of the values table are missing"):
        install.page(page)
