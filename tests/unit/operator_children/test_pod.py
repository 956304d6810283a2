"""Mixer pods in every mode: what they may do, what they get, and what replaces them."""

from dataclasses import replace
from typing import Any

import pytest

from voiceroom_api.mixerpool import MixerPoolSpec, read_pool
from voiceroom_api.problems import Problem
from voiceroom_operator.children.marks import PoolRef
from voiceroom_operator.children.pod import PodDefaults, pod
from voiceroom_operator.children.revision import revision
from voiceroom_operator.round.specs import pool_specs

POOL = PoolRef("music", "studio", "uid-7")
DEFAULTS = PodDefaults("registry.example.org/voiceroom:1.0")
MODES = ("Shared", "Quota", "Exclusive", "Fifo")


def spec(**fields: Any) -> MixerPoolSpec:
    """As it is read from YAML."""
    problems: list[Problem] = []
    pool = read_pool(
        {
            "apiVersion": "voiceroom.dev/v1alpha1",
            "kind": "MixerPool",
            "metadata": {"name": "music"},
            "spec": fields,
        },
        problems,
    )
    assert pool is not None, problems
    return pool.spec


def built(given: MixerPoolSpec, block: tuple[int, ...] = (20_478,), **more: Any) -> dict[str, Any]:
    return pod(POOL, given, "voiceroom-music-0", block, "r1", DEFAULTS, **more)


def container(made: dict[str, Any]) -> dict[str, Any]:
    (only,) = made["spec"]["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("mode", MODES)
def test_a_pod_may_do_as_little_as_its_mode_allows(mode: str) -> None:
    made = built(spec(realtime={"mode": mode}))
    own = container(made)["securityContext"]
    shared = made["spec"]["securityContext"]
    fifo = mode == "Fifo"
    assert own["readOnlyRootFilesystem"] is True
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"]["drop"] == ["ALL"]
    assert own["capabilities"].get("add", []) == (["IPC_LOCK", "SYS_NICE"] if fifo else [])
    assert shared["seccompProfile"] == {"type": "RuntimeDefault"}
    assert shared["runAsNonRoot"] is not fifo
    assert (shared["runAsUser"] == 0) is fifo
    assert made["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_a_cpu_limit_and_is_guaranteed_by_default(mode: str) -> None:
    resources = container(built(spec(realtime={"mode": mode})))["resources"]
    assert resources == {
        "limits": {"cpu": "1", "memory": "512Mi"},
        "requests": {"cpu": "1", "memory": "512Mi"},
    }


def test_shared_may_ask_for_less_than_its_limit() -> None:
    given = spec(
        realtime={"mode": "Shared"},
        resources={"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "250m"}},
    )
    assert container(built(given))["resources"]["requests"] == {"cpu": "250m", "memory": "1Gi"}


def test_all_writing_has_a_place_and_the_pools_secret_is_mounted() -> None:
    made = built(spec())
    mounts = {mount["mountPath"]: mount for mount in container(made)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in made["spec"]["volumes"]}
    assert mounts["/etc/voiceroom/pool"]["readOnly"] is True
    assert volumes["pool"]["secret"]["secretName"] == "voiceroom-music"
    for path in ("/tmp", "/var/lib/voiceroom"):
        assert "sizeLimit" in volumes[mounts[path]["name"]]["emptyDir"]


def test_a_stall_of_a_minute_kills_no_pod() -> None:
    probe = container(built(spec()))["livenessProbe"]
    assert probe["httpGet"] == {"path": "/healthz", "port": "http"}
    assert probe["periodSeconds"] * (probe["failureThreshold"] - 1) >= 60


def test_readiness_is_told_within_five_seconds() -> None:
    probe = container(built(spec()))["readinessProbe"]
    assert probe["httpGet"]["path"] == "/readyz"
    assert probe["periodSeconds"] * probe["failureThreshold"] <= 5


@pytest.mark.parametrize(("deadline", "drain_s"), [("0s", 0), ("10m", 600), ("24h", 86_400)])
def test_the_whole_drain_fits_into_the_grace_period(deadline: str, drain_s: int) -> None:
    made = built(spec(drain={"deadline": deadline}))
    pre_stop = container(made)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert made["spec"]["terminationGracePeriodSeconds"] >= pre_stop + drain_s + 10
    assert f"--drain-deadline={deadline}" in container(made)["args"]


def test_a_port_of_the_node_has_the_containers_number() -> None:
    made = built(spec(mediaProcesses=2), (20_500, 20_501))
    ports = {port["name"]: port for port in container(made)["ports"]}
    for name, number in (("media-0", 20_500), ("media-1", 20_501)):
        assert ports[name] == {
            "name": name,
            "containerPort": number,
            "hostPort": number,
            "protocol": "UDP",
        }
    assert "hostPort" not in ports["http"]
    assert "--udp=0.0.0.0:20500" in container(made)["args"]
    assert made["metadata"]["annotations"]["voiceroom.dev/ports"] == "20500-20501"


def test_in_the_nodes_network_every_listener_has_a_dealt_port() -> None:
    made = built(spec(network={"mode": "HostNetwork"}), (20_481, 20_482, 20_483))
    ports = {port["name"]: port["hostPort"] for port in container(made)["ports"]}
    assert ports == {"http": 20_481, "admin": 20_482, "metrics": 20_483, "media-0": 20_481}
    assert made["spec"]["hostNetwork"] is True
    assert made["spec"]["dnsPolicy"] == "ClusterFirstWithHostNet"


def test_with_the_pods_own_address_no_port_of_the_node_is_taken() -> None:
    made = built(spec(network={"mode": "PodIP"}), ())
    assert all("hostPort" not in port for port in container(made)["ports"])
    assert made["spec"]["hostNetwork"] is False
    assert "dnsPolicy" not in made["spec"]


def test_pods_spread_over_nodes_unless_the_pool_says_how() -> None:
    (usual,) = built(spec())["spec"]["topologySpreadConstraints"]
    assert (usual["topologyKey"], usual["whenUnsatisfiable"]) == (
        "kubernetes.io/hostname",
        "ScheduleAnyway",
    )
    own = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    (constraint,) = built(spec(topologySpreadConstraints=[own]))["spec"][
        "topologySpreadConstraints"
    ]
    assert constraint["maxSkew"] == 2
    assert constraint["labelSelector"]["matchLabels"]["voiceroom.dev/pool"] == "music"


def test_bad_nodes_are_avoided_in_every_alternative() -> None:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    zone = {"key": "zone", "operator": "In", "values": ["a"]}
    fast = {"key": "disk", "operator": "Exists"}
    given = spec(
        affinity={
            "nodeAffinity": {
                required: {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [zone]},
                        {"matchExpressions": [fast]},
                    ]
                }
            }
        }
    )
    away = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["n1", "n2"]}
    made = built(given, avoid_nodes=("n2", "n1"))
    terms = made["spec"]["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"]
    assert [term["matchExpressions"] for term in terms] == [[zone, away], [fast, away]]
    plain = built(spec(), avoid_nodes=("n1",))["spec"]["affinity"]["nodeAffinity"][required]
    assert len(plain["nodeSelectorTerms"]) == 1
    # what the pool says is not changed by it
    assert built(given)["spec"]["affinity"] == given.to_dict()["affinity"]


def test_a_new_pod_may_be_evicted_until_it_has_rooms() -> None:
    metadata = built(spec())["metadata"]
    assert metadata["labels"]["voiceroom.dev/occupied"] == "false"
    assert metadata["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "true"
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("MixerPool", "uid-7", True)


def test_what_the_pool_hands_on_is_in_the_pod() -> None:
    given = spec(
        runtimeClassName="real-time",
        nodeSelector={"pool": "voice"},
        tolerations=[{"key": "voice", "operator": "Exists"}],
        priorityClassName="high",
        imagePullSecrets=[{"name": "pull"}],
        podLabels={"team": "a"},
        podAnnotations={"note": "b"},
        env=[{"name": "TZ", "value": "UTC"}, {"name": "POD_IP", "value": "fake"}],
    )
    made = built(given)
    assert made["spec"]["runtimeClassName"] == "real-time"
    assert made["spec"]["nodeSelector"] == {"pool": "voice"}
    assert made["spec"]["tolerations"][0]["key"] == "voice"
    assert made["spec"]["priorityClassName"] == "high"
    assert made["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    assert made["metadata"]["labels"]["team"] == "a"
    assert made["metadata"]["annotations"]["note"] == "b"
    env = {entry["name"]: entry for entry in container(made)["env"]}
    assert env["TZ"]["value"] == "UTC"
    assert "valueFrom" in env["POD_IP"]
    pool = env["POOL_NAME"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert pool == "metadata.labels['voiceroom.dev/pool']"
    assert made["metadata"]["labels"]["voiceroom.dev/pool"]


def test_the_image_is_the_pools_or_the_operators() -> None:
    assert container(built(spec()))["image"] == DEFAULTS.image
    own = spec(image="example.org/mixer:2", imagePullPolicy="Always")
    assert container(built(own))["image"] == "example.org/mixer:2"
    assert container(built(own))["imagePullPolicy"] == "Always"


def test_fifo_is_asked_for_with_its_priority() -> None:
    args = container(built(spec(realtime={"mode": "Fifo", "required": True})))["args"]
    assert "--realtime=Fifo" in args
    assert "--realtime-priority=10" in args
    assert "--realtime-cpus=1" in args
    assert "--realtime-required" in args
    assert not any("priority" in arg for arg in container(built(spec()))["args"])


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "example.org/mixer:2"},
        {"realtime": {"mode": "Exclusive"}},
        {"resources": {"limits": {"cpu": "2"}}},
        {"mediaProcesses": 2},
        {"network": {"mode": "PodIP"}},
        {"network": {"rtpAllowCIDRs": ["10.0.0.0/8"]}},
        {"drain": {"deadline": "1m"}},
        {"env": [{"name": "A", "value": "1"}]},
        {"nodeSelector": {"a": "b"}},
        {"podLabels": {"a": "b"}},
    ],
)
def test_what_shapes_a_pod_makes_a_new_revision(fields: dict[str, Any]) -> None:
    assert revision(spec(**fields)) != revision(spec())


@pytest.mark.parametrize(
    "fields",
    [
        {"size": {"min": 3}},
        {"capacity": {"rooms": 7}},
        {"network": {"udpPort": 30_000}},
        {"network": {"publicURL": "https://voice.example.org"}},
        {"network": {"advertise": ["PodIP"]}},
        {"network": {"iceServers": [{"urls": ["stun:s.example.org"]}]}},
        {"timing": {"profile": "bareMetal"}},
        {"remediation": {"mode": "DryRun"}},
        {"realtime": {"mode": "Quota"}},
    ],
)
def test_what_changes_live_does_not(fields: dict[str, Any]) -> None:
    assert revision(spec(**fields)) == revision(spec())


def test_revisions_do_not_depend_on_the_operator() -> None:
    """This value is in labels of pods that run: it may never change for the same spec."""
    assert revision(MixerPoolSpec()) == revision(spec())
    assert revision(spec()) == "44136fa355"
    assert len({revision(spec(mediaProcesses=n)) for n in range(1, 5)}) == 4


def test_the_chaos_switch_reaches_the_mixer_and_rolls_the_pods_both_ways() -> None:
    switched = pod(POOL, spec(), "p", (20_478,), "r1", replace(DEFAULTS, chaos=True))
    assert "--chaos" in container(switched)["args"]
    assert "--chaos" not in container(built(spec()))["args"]
    assert revision(spec(), chaos=True) != revision(spec())
    pool = {"metadata": {"uid": "u", "generation": 1}, "spec": {}}
    on, off = (pool_specs(chaos=chaos).read(pool).revision for chaos in (True, False))
    assert (on, off) == (revision(spec(), chaos=True), revision(spec()))


def test_a_pod_does_not_depend_on_the_order_of_nodes() -> None:
    given = replace(spec(), node_selector={"b": "1", "a": "2"})
    assert built(given, avoid_nodes=("x", "y")) == built(given, avoid_nodes=("y", "x"))
