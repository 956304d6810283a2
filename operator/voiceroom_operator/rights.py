"""What the operator does with the API server, and how it is started: the chart is tested against
both tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from voiceroom_api import names

Scope = Literal["watched", "own", "cluster", "taints"]
"""watched: in each namespace whose rooms it runs. own: in the namespace that it runs in. cluster:
of the cluster; the operator does without. taints: of the cluster, with --taint-nodes only."""


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs on one resource."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    why: str
    scope: Scope = "watched"


RIGHTS: Final = (
    Right(names.GROUP, "voicerooms", ("get", "list", "watch"), "what people want"),
    Right(names.GROUP, "voicerooms/status", ("patch",), "bindings and conditions"),
    Right(
        names.GROUP,
        "mixerpools",
        ("create", "get", "list", "patch", "watch"),
        "pools; the pool default is made; the finalizer is set and released; canaries promoted",
    ),
    Right(names.GROUP, "mixerpools/status", ("patch",), "conditions and counts"),
    Right(
        "",
        "pods",
        ("create", "delete", "get", "list", "patch", "watch"),
        "mixer pods, their labels and annotations",
    ),
    Right("", "pods/resize", ("patch",), "the CPU limit of a throttled pod, raised in place"),
    Right("", "services", ("create", "get", "patch"), "one a pool: signalling"),
    Right("", "secrets", ("create", "get", "patch"), "keys and TLS of pools; PINs of rooms"),
    Right("", "events", ("create", "patch"), "what was done, and why"),
    Right("policy", "poddisruptionbudgets", ("create", "get", "patch"), "pods with rooms stay"),
    Right(
        "networking.k8s.io",
        "networkpolicies",
        ("create", "delete", "get", "patch"),
        "only with --network-policy are they made",
    ),
    Right("", "secrets", ("create", "get"), "the bearer token of POST /alerts", "own"),
    Right("coordination.k8s.io", "leases", ("create", "get", "patch"), "one leader", "own"),
    Right("", "nodes", ("get", "list", "watch"), "addresses, cordons, grades", "cluster"),
    Right("", "nodes", ("patch",), "the taint of nodes that do not keep time", "taints"),
)


@dataclass(frozen=True, slots=True)
class Flag:
    """An option of ``voiceroom-operator``; each has an environment variable."""

    name: str
    default: str
    help: str

    @property
    def variable(self) -> str:
        """``VOICEROOM_LEASE_NAME`` for ``--lease-name``."""
        return "VOICEROOM_" + self.name.removeprefix("--").replace("-", "_").upper()


FLAGS: Final = (
    Flag("--namespace", "", "namespace whose rooms are run; several, divided by commas"),
    Flag("--all-namespaces", "false", "run the rooms of every namespace: true or false"),
    Flag("--own-namespace", "", "namespace of the Lease; empty: the one that the operator is in"),
    Flag("--lease-name", "voiceroom-operator", "Lease that says which replica acts"),
    Flag("--identity", "", "name of this replica in the Lease; empty: the host's name"),
    Flag("--listen", "0.0.0.0:8080", "ADDRESS:PORT of /healthz, /readyz and /metrics"),
    Flag(
        "--alerts-listen",
        "0.0.0.0:8081",
        "ADDRESS:PORT of POST /alerts; none: alerts are not taken",
    ),
    Flag(
        "--taint-nodes",
        "false",
        "taint nodes where a pool says remediation.quarantine: Taint: true or false",
    ),
    Flag("--mixer-image", "", "image of mixer pods whose pool names none"),
    Flag("--mixer-image-pull-policy", "IfNotPresent", "of that image: Always, IfNotPresent, Never"),
    Flag("--mixer-service-account", "default", "ServiceAccount of mixer pods; no token is mounted"),
    Flag("--mixer-chaos", "false", "let mixers take faults on order, docs/chaos.md: true or false"),
    Flag(
        "--default-pool", "", "file with the spec of the MixerPool default, YAML; empty: defaults"
    ),
    Flag("--network-policy", "false", "make a NetworkPolicy for each pool: true or false"),
    Flag("--scraper-namespaces", "", "with it: who may read metrics; empty: anybody"),
    Flag("--log-format", "json", "json or text"),
    Flag("--log-level", "info", "debug, info, warning or error"),
)
"""A pod finds its namespace in its service account when --own-namespace is not given."""
