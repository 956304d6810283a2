import textwrap
from typing import Any

import pytest
import yaml

from voiceroom_api.mixerpool import MixerPool, MixerPoolSpec, read_pool
from voiceroom_api.problems import Problem

HEAD = "apiVersion: voiceroom.dev/v1alpha1\nkind: MixerPool\nmetadata: {name: gold}\n"
EVERYTHING = """
spec:
  image: registry.example.org:5000/voiceroom@sha256:abc
  imagePullPolicy: Always
  imagePullSecrets: [{name: pull}]
  realtime: {mode: Fifo, priority: 20, required: true}
  resources:
    limits: {cpu: "2", memory: 1Gi}
    requests: {cpu: 2000m, memory: 1024Mi}
  mediaProcesses: 2
  runtimeClassName: real-time
  nodeSelector: {kubernetes.io/arch: amd64}
  affinity:
    nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}
  tolerations:
    - {key: voice, operator: Equal, value: only, effect: NoExecute, tolerationSeconds: 60}
    - {operator: Exists}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: DoNotSchedule
      minDomains: 2
      labelSelector:
        matchLabels: {a: b}
        matchExpressions: [{key: c, operator: In, values: [d]}, {key: e, operator: Exists}]
  priorityClassName: voice
  podAnnotations: {cpu-quota.crio.io: disable}
  podLabels: {team: voice}
  env:
    - {name: A, value: ""}
    - {name: B, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}
    - {name: C, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
  size: {min: 0, max: 3, spare: 2}
  capacity: {rooms: 10, participants: 50}
  network:
    mode: HostNetwork
    udpPort: 30000
    udpPortCount: 100
    advertise: [203.0.113.7, "2001:db8::7"]
    publicURL: https://voice.example.org/rooms
    iceServers:
      - {urls: ["stun:stun.example.org"]}
      - {urls: ["turns:turn.example.org:443?transport=tcp"], secretRef: {name: turn}}
    rtpAllowCIDRs: []
  timing: {profile: bareMetalRt}
  drain: {deadline: 1h}
  remediation:
    mode: DryRun
    window: 2s
    badWindows: 2
    ofWindows: 2
    minHealthyAge: 0s
    cooldown: 30s
    cooldownMax: 30s
    budget: {nodesAtOnce: 2, podsPerHour: 9}
    stormPercent: 50
    healthyDelay: 1m
    quarantine: Taint
    cpuLimitPercent: 150
    ownLook: false
    trustAlerts: true
  scheduling: {alpha: 1, beta: 0, baseRate: 16000, deadlineMs: 18}
"""


def read(text: str) -> tuple[MixerPool | None, list[Problem]]:
    problems: list[Problem] = []
    return read_pool(yaml.safe_load(text), problems), problems


def load(spec: str) -> MixerPoolSpec:
    pool, problems = read(HEAD + textwrap.dedent(spec))
    assert pool is not None, problems
    return pool.spec


def test_a_pool_needs_only_a_name() -> None:
    assert read(HEAD) == (MixerPool(name="gold", spec=MixerPoolSpec()), [])


def test_the_defaults_are_the_contracts() -> None:
    assert load("").to_dict() == {
        "realtime": {"mode": "Quota", "required": False},
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {}},
        "mediaProcesses": 1,
        "size": {"min": 1, "max": 10, "spare": 1},
        "capacity": {"rooms": 100, "participants": 500},
        "network": {
            "mode": "HostPort",
            "udpPort": 20478,
            "udpPortCount": 64,
            "rtpAllowCIDRs": [
                "127.0.0.0/8",
                "::1/128",
                "10.0.0.0/8",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "fc00::/7",
            ],
        },
        "timing": {"profile": "vm"},
        "drain": {"deadline": "10m"},
        "remediation": {
            "mode": "Enforce",
            "window": "1s",
            "badWindows": 3,
            "ofWindows": 5,
            "minHealthyAge": "10s",
            "cooldown": "60s",
            "cooldownMax": "1h",
            "budget": {"nodesAtOnce": 1, "podsPerHour": 3},
            "stormPercent": 30,
            "healthyDelay": "5m",
            "quarantine": "Affinity",
            "cpuLimitPercent": 100,
            "ownLook": True,
        },
        "scheduling": {"alpha": 0.7, "beta": 0.3, "baseRate": 48000, "deadlineMs": 9},
    }


def test_every_field_is_read_and_written() -> None:
    assert load(EVERYTHING).to_dict() == yaml.safe_load(EVERYTHING)["spec"]


def test_cpus_may_be_a_number() -> None:
    assert load("spec: {resources: {limits: {cpu: 2}}}").resources.limits.cpu == "2"


def test_null_is_not_given() -> None:
    assert load("spec: {size: ~, nodeSelector: {a: ~}, tolerations: , env: ~}") == load("")


@pytest.mark.parametrize(
    ("spec", "priority"),
    [
        ("{mode: Fifo}", 10),
        ("{mode: Fifo, priority: 98}", 98),
        ("{mode: Exclusive}", None),
        ("{}", None),
    ],
)
def test_priority_of_the_mode(spec: str, priority: int | None) -> None:
    assert load(f"spec: {{realtime: {spec}}}").realtime.fifo_priority == priority


@pytest.mark.parametrize(
    ("spec", "suffice"),
    [
        ("{}", False),
        ("{ownLook: false}", True),
        ("{trustAlerts: true}", True),
        ("{ownLook: false, trustAlerts: false}", False),
    ],
)
def test_alerts_are_trusted_where_nobody_else_looks(spec: str, suffice: bool) -> None:
    assert load(f"spec: {{remediation: {spec}}}").remediation.alerts_suffice is suffice


OWN = "realtime: {mode: Exclusive}, resources:"
SPREAD = "topologyKey: z, whenUnsatisfiable: ScheduleAnyway"


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        ("size: {min: 11}", ".size", "min must not be greater than max"),
        ("size: {spare: 11}", ".size", "spare must not be greater than max"),
        ("size: {max: 1001}", ".size.max", "from 0 to 1000 (got 1001)"),
        ("size: {mni: 1}", ".size.mni", "did you mean min?"),
        ("realtime: {priority: 10}", ".realtime", "set mode: Fifo"),
        ("realtime: {mode: FIFO}", ".realtime.mode", "Shared, Quota, Exclusive, Fifo (got"),
        (f"{OWN} {{limits: {{cpu: 1500m}}}}", ".resources.limits.cpu", 'number such as "2"'),
        (f"{OWN} {{requests: {{cpu: 500m}}}}", ".resources.requests", "leave resources.requests"),
        (f"{OWN} {{requests: {{memory: 64Mi}}}}", ".resources.requests", "requests equal to"),
        ("resources: {requests: {cpu: 2}}", ".resources", "requests.cpu must not be greater"),
        ("resources: {requests: {memory: 1G}}", ".resources", "requests.memory must not be"),
        ("resources: {limits: {cpu: 0}}", ".resources.limits.cpu", "10m or more"),
        ("resources: {limits: {memory: 512m}}", ".resources.limits.memory", "as in 512Mi or 2Gi"),
        ("resources: {limits: {memory: 512}}", ".resources.limits.memory", "64Mi or more"),
        ("mediaProcesses: 65", ".mediaProcesses", "1 to 64"),
        ("mediaProcesses: 64, network: {udpPortCount: 63}", ".network.udpPortCount", "at least"),
        ("network: {udpPort: 65500}", ".network", "ports end at 65535"),
        ("network: {udpPort: 80}", ".network.udpPort", "from 1024 to 65535"),
        ("network: {advertise: PodIP}", ".network.advertise", "must be a list (got 'PodIP')"),
        ("network: {advertise: [a.b]}", ".network.advertise[0]", "or an IP address (got 'a.b')"),
        ("network: {advertise: [PodIP, 10.0.0.1]}", ".network.advertise", "not both"),
        ("network: {publicURL: 'http://a.b'}", ".network.publicURL", "must be an https URL"),
        ("network: {publicUrl: 'https://a'}", ".network.publicUrl", "did you mean publicURL?"),
        ("network: {rtpAllowCIDRs: [10.0.0.0]}", ".network.rtpAllowCIDRs[0]", "10.0.0.0/8"),
        ("network: {rtpAllowCIDRs: [10.0.0.0/33]}", ".network.rtpAllowCIDRs[0]", "a network"),
        ("network: {iceServers: [{urls: []}]}", ".network.iceServers[0].urls", "1 to 8 items"),
        ("network: {iceServers: [{}]}", ".network.iceServers[0].urls", "is required"),
        ("network: {iceServers: [{urls: ['turn:a']}]}", ".network.iceServers[0]", "need secretRef"),
        ("network: {iceServers: [{urls: [a]}]}", ".network.iceServers[0].urls[0]", "stun:stun"),
        ("drain: {deadline: 25h}", ".drain.deadline", "from 0s to 24h"),
        ("remediation: {badWindows: 6}", ".remediation", "badWindows must not be"),
        ("remediation: {cooldown: 61m}", ".remediation", "cooldown must not be longer"),
        ("remediation: {window: 0s}", ".remediation.window", "from 1s to 1m"),
        ("remediation: {mode: off}", ".remediation.mode", 'so write "Off" (got false)'),
        ("remediation: {budget: {podsPerHour: 0}}", ".remediation.budget.podsPerHour", "1 to 100"),
        ("scheduling: {alpha: 0, beta: 0}", ".scheduling", "must not both be 0"),
        ("scheduling: {alpha: 1.01}", ".scheduling.alpha", "a number from 0 to 1 (got 1.01)"),
        ("podLabels: {voiceroom.dev/occupied: x}", ".podLabels", "are the operator's"),
        ("podAnnotations: {voiceroom.dev/a: x}", ".podAnnotations", "are the operator's"),
        ("podAnnotations: {a: true}", ".podAnnotations.a", "must be a string"),
        ("nodeSelector: {a/b/c: x}", ".nodeSelector", "keys must be as in"),
        ("nodeSelector: {true: x}", ".nodeSelector", 'has the key true; quote it, as in "true"'),
        ("nodeSelector: {a: -b}", ".nodeSelector.a", "the value of a label"),
        ("affinity: {nodeAfinity: {}}", ".affinity.nodeAfinity", "did you mean nodeAffinity?"),
        ("affinity: {podAffinity: []}", ".affinity.podAffinity", "must be a mapping"),
        ("tolerations: [{key: a, operator: Exists}, {}]", ".tolerations[1]", "must be Exists"),
        ("tolerations: [{operator: Exists, value: a}]", ".tolerations[0]", "Equal only"),
        ("tolerations: [{key: a, tolerationSeconds: 5}]", ".tolerations[0]", "NoExecute only"),
        ("topologySpreadConstraints: [{}]", ".topologySpreadConstraints[0].maxSkew", "is required"),
        (
            f"topologySpreadConstraints: [{{maxSkew: 1, minDomains: 2, {SPREAD}}}]",
            ".topologySpreadConstraints[0]",
            "DoNotSchedule only",
        ),
        (
            f"topologySpreadConstraints: [{{maxSkew: 1, {SPREAD}}}, {{maxSkew: 2, {SPREAD}}}]",
            ".topologySpreadConstraints",
            "has z, ScheduleAnyway twice; topologyKey and whenUnsatisfiable must differ",
        ),
        ("env: [{name: A}, {name: A}]", ".env", "has A twice; name must differ"),
        ("env: [{name: 1A}]", ".env[0].name", "the name of a variable"),
        ("env: [{name: A, value: 1}]", ".env[0].value", "must be a string"),
        ("env: [{name: A, valueFrom: {}}]", ".env[0].valueFrom", "exactly one of"),
        (
            "env: [{name: A, value: a, valueFrom: {fieldRef: {fieldPath: a}}}]",
            ".env[0]",
            "exclude each other",
        ),
        ("image: 'a b'", ".image", "must be an image such as"),
        ("imagePullSecrets: [a]", ".imagePullSecrets[0]", "must be a mapping (got 'a')"),
    ],
)
def test_refuses_a_field(spec: str, path: str, words: str) -> None:
    pool, problems = read(f"{HEAD}spec: {{{spec}}}")
    assert pool is None
    refused = [problem for problem in problems if problem.path == f"spec{path}"]
    assert refused, problems
    assert words in refused[0].message


@pytest.mark.parametrize(
    ("field", "value", "most"),
    [
        ("nodeSelector", {f"k{number}": "" for number in range(33)}, "at most 32 entries (got 33)"),
        ("env", [{"name": f"A{number}"} for number in range(65)], "0 to 64 items (got 65)"),
    ],
)
def test_what_is_too_long_is_one_problem(field: str, value: Any, most: str) -> None:
    _, problems = read(HEAD + yaml.safe_dump({"spec": {field: value}}))
    assert problems == [Problem(f"spec.{field}", f"must have {most}")]


@pytest.mark.parametrize("name", ["Gold", "a.b", "-a", "g" * 49])
def test_refuses_names_that_do_not_fit_into_others(name: str) -> None:
    _, (problem,) = read(HEAD.replace("gold", name))
    assert problem.path == "metadata.name"
    assert "at most 48 characters" in problem.message


def test_a_name_of_48_characters_is_taken() -> None:
    assert read(HEAD.replace("gold", "g" * 48))[1] == []


def test_another_kind_is_refused() -> None:
    _, problems = read(HEAD.replace("MixerPool", "VoiceRoom"))
    assert problems == [Problem("kind", "must be MixerPool (got 'VoiceRoom')")]


def test_what_kubernetes_adds_is_no_problem() -> None:
    text = HEAD.replace(
        "{name: gold}", "{name: gold, namespace: a, labels: {c: d}, annotations: {e: f}}"
    )
    pool, problems = read(text + "status: {rooms: 1}\n")
    assert problems == []
    assert pool is not None
    assert (pool.namespace, pool.labels, pool.annotations) == ("a", {"c": "d"}, {"e": "f"})
