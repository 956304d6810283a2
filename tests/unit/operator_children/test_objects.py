"""The single objects of a pool, and patches of its pods."""

import json
from base64 import b64decode

import pytest

from voiceroom_api.poolparts import Network
from voiceroom_operator.children.disruption import disruption_budget
from voiceroom_operator.children.marks import PoolRef, selector
from voiceroom_operator.children.networkpolicy import network_policy
from voiceroom_operator.children.patches import pod_patch
from voiceroom_operator.children.secrets import KeyMaterial, ca_secret, pool_secret, tls_name
from voiceroom_operator.children.service import service
from voiceroom_operator.pool.actions import PatchPod

POOL = PoolRef("music", "studio", "uid-7")
MATERIAL = KeyMaterial(b'{"keys": []}', b"CERT", b"KEY", b"CA")
OPERATOR = {"podSelector": {"matchLabels": {"app": "operator"}}}


def test_the_service_finds_each_pods_own_port() -> None:
    made = service(POOL)
    assert made["metadata"]["name"] == "voiceroom-music"
    (port,) = made["spec"]["ports"]
    assert (port["name"], port["targetPort"]) == ("http", "http")
    assert made["spec"]["selector"] == selector(POOL)


def test_names_of_the_longest_pool_fit() -> None:
    longest = PoolRef("p" * 48, "studio", "u")
    for made in (service(longest), pool_secret(longest, MATERIAL), ca_secret(longest, b"", b"")):
        assert len(made["metadata"]["name"]) <= 63


def test_mixers_get_the_keys_and_never_the_cas_key() -> None:
    made = pool_secret(POOL, MATERIAL)
    data = {key: b64decode(value) for key, value in made["data"].items()}
    assert data == {
        "keys.json": b'{"keys": []}',
        "tls.crt": b"CERT",
        "tls.key": b"KEY",
        "ca.crt": b"CA",
    }
    other = ca_secret(POOL, b"CA", b"CAKEY")
    assert other["metadata"]["name"] == "voiceroom-music-ca"
    assert b64decode(other["data"]["ca.key"]) == b"CAKEY"
    assert tls_name(POOL) == "mixer.music.studio"


def test_keys_do_not_get_into_logs() -> None:
    assert "CERT" not in repr(MATERIAL)


def test_pods_with_rooms_are_protected_and_no_others() -> None:
    spec = disruption_budget(POOL)["spec"]
    assert spec["selector"]["matchLabels"] == selector(POOL) | {"voiceroom.dev/occupied": "true"}
    assert type(spec["minAvailable"]) is int
    assert spec["minAvailable"] > 1000
    assert spec["unhealthyPodEvictionPolicy"] == "IfHealthyBudget"


def test_everything_goes_with_its_pool() -> None:
    policy = network_policy(POOL, Network(), 1, OPERATOR, [])
    assert policy is not None
    for made in (service(POOL), pool_secret(POOL, MATERIAL), disruption_budget(POOL), policy):
        (owner,) = made["metadata"]["ownerReferences"]
        assert owner["uid"] == "uid-7"
        assert made["metadata"]["namespace"] == "studio"


def test_the_admin_port_is_for_the_operator_and_the_mixers() -> None:
    made = network_policy(POOL, Network(), 1, OPERATOR, [{"namespaceSelector": {}}])
    assert made is not None
    people, admin, metrics = made["spec"]["ingress"]
    assert "from" not in people
    assert people["ports"] == [
        {"protocol": "TCP", "port": 8080},
        {"protocol": "UDP", "port": 20_478, "endPort": 20_541},
    ]
    assert admin["from"] == [OPERATOR, {"podSelector": {"matchLabels": selector(POOL)}}]
    assert [port["port"] for port in admin["ports"]] == [8443]
    assert metrics["from"] == [{"namespaceSelector": {}}]


def test_no_policy_is_made_that_would_not_hold() -> None:
    assert network_policy(POOL, Network(mode="HostNetwork"), 1, OPERATOR, []) is None


@pytest.mark.parametrize(
    ("patch", "labels", "annotations"),
    [
        (
            PatchPod("p", "u", occupied=True),
            {"voiceroom.dev/occupied": "true"},
            {
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                "voiceroom.dev/idle-since": None,
            },
        ),
        (
            PatchPod("p", "u", occupied=False),
            {"voiceroom.dev/occupied": "false"},
            {
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
                "voiceroom.dev/idle-since": "1700000000",
            },
        ),
        (
            PatchPod("p", "u", drain="Rollout"),
            None,
            {"voiceroom.dev/draining": "1700000000 Rollout"},
        ),
        (PatchPod("p", "u", drain=""), None, {"voiceroom.dev/draining": None}),
    ],
)
def test_a_patch_writes_its_marks_on_that_pod_only(
    patch: PatchPod, labels: dict[str, str] | None, annotations: dict[str, str | None]
) -> None:
    metadata = pod_patch(patch, 1_700_000_000.9)["metadata"]
    assert metadata["uid"] == "u"
    assert metadata.get("labels") == labels
    assert metadata["annotations"] == annotations
    json.dumps(metadata)
