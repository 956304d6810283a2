"""The MixerPool resource (``crds/mixerpools.yaml``): its typed twin and its reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from voiceroom_api import podparts
from voiceroom_api.canary import NOT_ITSELF, Canary
from voiceroom_api.documents import Kind, read_document
from voiceroom_api.fields import to_dict
from voiceroom_api.names import MIXER_POOL
from voiceroom_api.poolparts import (
    Capacity,
    Drain,
    Network,
    Realtime,
    Remediation,
    Scheduling,
    Size,
    Timing,
)
from voiceroom_api.problems import Problem
from voiceroom_api.quantity import parse_quantity
from voiceroom_api.rules import Relation, Text, Whole
from voiceroom_api.texts import DNS_LABEL, POD_ANNOTATIONS, POD_LABELS, object_name, worded

NAME: Final = Text(
    "must be a DNS label of at most 48 characters (names made from it have to fit into 63): "
    "a-z, 0-9 and -, not - at either end",
    high=48,
    pattern=DNS_LABEL.pattern,
)
_IMAGE: Final = worded(
    "must be an image such as registry.example.org/voiceroom:1.0",
    high=512,
    pattern="^[a-zA-Z0-9][-a-zA-Z0-9._/:@]*$",
)
_WHOLE_CPUS: Final = re.compile(r"^[1-9][0-9]*\Z")


def _all_requested(resources: podparts.Resources) -> bool:
    pairs = (
        (resources.requests.cpu, resources.limits.cpu),
        (resources.requests.memory, resources.limits.memory),
    )
    return all(
        request is None or parse_quantity(request) == parse_quantity(limit)
        for request, limit in pairs
    )


def _equal_cel(resource: str) -> str:
    request, limit = (f"self.spec.resources.{part}.{resource}" for part in ("requests", "limits"))
    return (
        f"(!has({request}) || "
        f"quantity(string({request})).compareTo(quantity(string({limit}))) == 0)"
    )


_OWN_CPUS_CEL: Final = "!(self.spec.realtime.mode in ['Exclusive', 'Fifo'])"


@dataclass(frozen=True, slots=True)
class MixerPoolSpec:
    """What a person wants of a pool. Its relations are rules of the whole object in the CRD."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            f"{_OWN_CPUS_CEL} || string(self.spec.resources.limits.cpu).matches('^[1-9][0-9]*$')",
            "realtime.mode Exclusive and Fifo need whole CPUs: "
            'write resources.limits.cpu as a whole number such as "2"',
            lambda self: (
                not self.realtime.whole_cpus or bool(_WHOLE_CPUS.match(self.resources.limits.cpu))
            ),
            at=".resources.limits.cpu",
        ),
        Relation(
            f"{_OWN_CPUS_CEL} || ({_equal_cel('cpu')} && {_equal_cel('memory')})",
            "realtime.mode Exclusive and Fifo need requests equal to limits: "
            "leave resources.requests out",
            lambda self: not self.realtime.whole_cpus or _all_requested(self.resources),
            at=".resources.requests",
        ),
        Relation(
            "self.spec.mediaProcesses <= self.spec.network.udpPortCount",
            "network.udpPortCount must be at least mediaProcesses: each has a port of its own",
            lambda self: bool(self.media_processes <= self.network.udp_port_count),
            at=".network.udpPortCount",
        ),
        Relation(
            "!has(self.spec.canary) || self.spec.size.min >= 1",
            "a canary needs size.min of 1 or more: it is tried by pods that run",
            lambda self: self.canary is None or bool(self.size.min >= 1),
            at=".size.min",
        ),
    )
    image: Annotated[str, _IMAGE] | None = None
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    image_pull_secrets: Annotated[tuple[podparts.LocalRef, ...], podparts.PULL_SECRETS] = ()
    realtime: Realtime = field(default_factory=Realtime)
    resources: podparts.Resources = field(default_factory=podparts.Resources)
    media_processes: Annotated[int, Whole(1, 64)] = 1
    runtime_class_name: Annotated[str, object_name("a RuntimeClass")] | None = None
    node_selector: Annotated[Mapping[str, str], podparts.NODE_SELECTOR] = field(
        default_factory=dict
    )
    affinity: podparts.Affinity | None = None
    tolerations: Annotated[tuple[podparts.Toleration, ...], podparts.TOLERATIONS] = ()
    topology_spread_constraints: Annotated[
        tuple[podparts.TopologySpread, ...], podparts.TOPOLOGY_SPREAD
    ] = ()
    priority_class_name: Annotated[str, object_name("a PriorityClass")] | None = None
    pod_annotations: Annotated[Mapping[str, str], POD_ANNOTATIONS] = field(default_factory=dict)
    pod_labels: Annotated[Mapping[str, str], POD_LABELS] = field(default_factory=dict)
    env: Annotated[tuple[podparts.EnvVar, ...], podparts.ENV] = ()
    size: Size = field(default_factory=Size)
    capacity: Capacity = field(default_factory=Capacity)
    network: Network = field(default_factory=Network)
    timing: Timing = field(default_factory=Timing)
    drain: Drain = field(default_factory=Drain)
    remediation: Remediation = field(default_factory=Remediation)
    scheduling: Scheduling = field(default_factory=Scheduling)
    canary: Canary | None = None

    def to_dict(self) -> dict[str, Any]:
        """As in YAML, defaults written out."""
        return to_dict(self)


@dataclass(frozen=True, slots=True)
class MixerPool:
    """One pool, as its writer wants it."""

    name: str
    spec: MixerPoolSpec = field(default_factory=MixerPoolSpec)
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def read_pool(document: object, problems: list[Problem]) -> MixerPool | None:
    """One parsed document; None, with at least one new problem, when it is refused."""
    found = read_document(_KIND, document, problems)
    if found is None or found.spec.canary is None or found.spec.canary.of != found.name:
        return found
    problems.append(Problem("spec.canary.of", NOT_ITSELF))
    return None


_KIND: Final = Kind(MIXER_POOL, NAME, MixerPoolSpec, MixerPool)
