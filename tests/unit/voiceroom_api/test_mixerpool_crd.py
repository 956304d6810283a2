"""The MixerPool CRD and its typed twin, field by field."""

from fakes.crds import VALIDATIONS, as_rules, filled, load, nodes, section, undescribed
from voiceroom_api.canary import NOT_ITSELF, NOT_ITSELF_CEL
from voiceroom_api.fields import to_dict
from voiceroom_api.mixerpool import NAME, MixerPoolSpec

CRD = load("mixerpools")
STATUS = CRD.part("status")["properties"]


def test_spec_and_twin_say_the_same() -> None:
    expected = section(MixerPoolSpec, relations=False) | {"default": {}}
    assert undescribed(CRD.part("spec")) == expected


def test_rules_of_the_whole_object_are_the_twins() -> None:
    name, itself, *rules = CRD.root[VALIDATIONS]
    assert rules == as_rules(MixerPoolSpec.RELATIONS, ".spec")
    at = {"fieldPath": ".spec.canary.of"}
    assert itself == {"rule": NOT_ITSELF_CEL, "message": NOT_ITSELF} | at
    assert f"size() <= {NAME.high}" in name["rule"]


def test_defaults_of_the_crd_fill_to_the_twins_defaults() -> None:
    assert filled(CRD.part("spec"), {}) == to_dict(MixerPoolSpec())


def test_scale_and_status_subresources() -> None:
    scale = {
        "specReplicasPath": ".spec.size.min",
        "statusReplicasPath": ".status.pods.ready",
        "labelSelectorPath": ".status.selector",
    }
    assert CRD.version["subresources"] == {"status": {}, "scale": scale}
    types = {f".{path}": node["type"] for path, node in all_nodes()}
    assert [types[path] for path in scale.values()] == ["integer", "integer", "string"]


def all_nodes() -> list[tuple[str, dict[str, object]]]:
    return [
        (path, dict(node))
        for part in ("spec", "status")
        for path, node in nodes(part, CRD.part(part))
        if "type" in node
    ]


def test_status_is_the_contracts() -> None:
    assert list(STATUS) == [
        "pods",
        "rooms",
        "participants",
        "headroom",
        "nodes",
        "budget",
        "canary",
        "selector",
        "observedGeneration",
        "conditions",
    ]
    assert list(STATUS["pods"]["properties"]) == ["desired", "ready", "draining"]
    assert list(STATUS["nodes"]["items"]["properties"]) == ["name", "grade", "quarantinedUntil"]


def test_only_affinity_is_left_to_kubernetes() -> None:
    opaque = [
        path
        for path, node in nodes("spec", CRD.part("spec"))
        if "x-kubernetes-preserve-unknown-fields" in node
    ]
    assert opaque == [
        "spec.affinity.nodeAffinity",
        "spec.affinity.podAffinity",
        "spec.affinity.podAntiAffinity",
    ]
