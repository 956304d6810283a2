"""The sections of a MixerPool's spec."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from voiceroom_api.duration import parse_duration
from voiceroom_api.fields import named
from voiceroom_api.podparts import LocalRef
from voiceroom_api.rules import Items, Number, Relation, Section, Span, Text, Whole
from voiceroom_api.texts import CIDR, is_address, worded

FIFO_PRIORITY: Final = 10
"""Of mode Fifo where ``priority`` is not given."""
RTP_ALLOW: Final = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
)
"""Loopback and private ranges."""
_FROM_NODE: Final = ("NodeExternalIP", "NodeInternalIP", "PodIP")
_FROM_NODE_CEL: Final = f"[{', '.join(repr(word) for word in _FROM_NODE)}]"
_ADVERTISED: Final = Text(
    "must be NodeExternalIP, NodeInternalIP, PodIP or an IP address",
    high=45,
    relations=(
        Relation(
            f"self in {_FROM_NODE_CEL} || isIP(self)",
            "must be NodeExternalIP, NodeInternalIP, PodIP or an IP address",
            lambda self: self in _FROM_NODE or is_address(self),
        ),
    ),
)


_ADVERTISE: Final = Items(
    _ADVERTISED,
    8,
    relations=(
        Relation(
            f"self.all(a, a in {_FROM_NODE_CEL}) || !self.exists(a, a in {_FROM_NODE_CEL})",
            "either words such as NodeExternalIP or addresses, not both",
            lambda self: len({entry in _FROM_NODE for entry in self}) <= 1,
        ),
    ),
)


_ICE_URL: Final = worded(
    "must be a URL such as stun:stun.example.org:3478",
    high=512,
    pattern=r"^(stun|turn)s?:([-a-zA-Z0-9.]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?(\?transport=[a-z]+)?$",
)
_PUBLIC_URL: Final = worded(
    "must be an https URL without a query, such as https://voice.example.org",
    high=2048,
    pattern=r"^https://([-a-zA-Z0-9.]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?(/[-a-zA-Z0-9._~%/]*)?$",
)


@dataclass(frozen=True, slots=True)
class Realtime:
    """How the pods are scheduled against others of their node."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "!has(self.priority) || self.mode == 'Fifo'",
            "priority goes with mode Fifo only: leave it out, or set mode: Fifo",
            lambda self: self.priority is None or self.mode == "Fifo",
        ),
    )
    mode: Literal["Shared", "Quota", "Exclusive", "Fifo"] = "Quota"
    priority: Annotated[int, Whole(1, 98)] | None = None
    required: bool = False

    @property
    def fifo_priority(self) -> int | None:
        """Of SCHED_FIFO; None in the other modes."""
        if self.mode != "Fifo":
            return None
        return FIFO_PRIORITY if self.priority is None else self.priority

    @property
    def whole_cpus(self) -> bool:
        """Whether the mode needs CPUs of its own."""
        return self.mode in ("Exclusive", "Fifo")


@dataclass(frozen=True, slots=True)
class Size:
    """How many pods."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "self.min <= self.max",
            "min must not be greater than max",
            lambda self: bool(self.min <= self.max),
        ),
        Relation(
            "self.spare <= self.max",
            "spare must not be greater than max",
            lambda self: bool(self.spare <= self.max),
        ),
    )
    min: Annotated[int, Whole(0, 1000)] = 1
    max: Annotated[int, Whole(0, 1000)] = 10
    spare: Annotated[int, Whole(0, 1000)] = 1


@dataclass(frozen=True, slots=True)
class Capacity:
    """Caps of one pod; its measured headroom may allow less."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    rooms: Annotated[int, Whole(1, 1000)] = 100
    participants: Annotated[int, Whole(1, 5000)] = 500


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server that clients are told of."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "has(self.secretRef) || !self.urls.exists(url, url.startsWith('turn'))",
            "turn: and turns: need secretRef, a Secret with the keys username and credential",
            lambda self: (
                self.secret_ref is not None or not any(u.startswith("turn") for u in self.urls)
            ),
        ),
    )
    urls: Annotated[tuple[str, ...], Items(_ICE_URL, low=1, high=8)]
    secret_ref: LocalRef | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """How media and signalling reach the pods."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "self.udpPort + self.udpPortCount <= 65536",
            "udpPort + udpPortCount must be at most 65536: ports end at 65535",
            lambda self: bool(self.udp_port + self.udp_port_count <= 65_536),
        ),
    )
    mode: Literal["HostPort", "HostNetwork", "PodIP"] = "HostPort"
    udp_port: Annotated[int, Whole(1024, 65_535)] = 20_478
    udp_port_count: Annotated[int, Whole(1, 1000)] = 64
    advertise: Annotated[tuple[str, ...], _ADVERTISE] = ()
    public_url: Annotated[str, _PUBLIC_URL] | None = named("publicURL", None)
    ice_servers: Annotated[tuple[IceServer, ...], Items(Section(IceServer), 8)] = ()
    rtp_allow_cidrs: Annotated[tuple[str, ...], Items(CIDR, 64)] = named("rtpAllowCIDRs", RTP_ALLOW)


@dataclass(frozen=True, slots=True)
class Timing:
    """What counts as late."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    profile: Literal["bareMetalRt", "bareMetal", "vm"] = "vm"


@dataclass(frozen=True, slots=True)
class Drain:
    """How a pod is emptied."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    deadline: Annotated[str, Span(0, 86_400)] = "10m"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be moved on account of drift."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    nodes_at_once: Annotated[int, Whole(1, 100)] = 1
    pods_per_hour: Annotated[int, Whole(1, 100)] = 3


@dataclass(frozen=True, slots=True)
class Remediation:
    """What is done when a timer misbehaves, and what keeps it from doing harm."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "self.badWindows <= self.ofWindows",
            "badWindows must not be greater than ofWindows",
            lambda self: bool(self.bad_windows <= self.of_windows),
        ),
        Relation(
            "duration(self.cooldown) <= duration(self.cooldownMax)",
            "cooldown must not be longer than cooldownMax",
            lambda self: parse_duration(self.cooldown) <= parse_duration(self.cooldown_max),
        ),
    )
    mode: Literal["Off", "DryRun", "Enforce"] = "Enforce"
    window: Annotated[str, Span(1, 60)] = "1s"
    bad_windows: Annotated[int, Whole(1, 100)] = 3
    of_windows: Annotated[int, Whole(1, 100)] = 5
    min_healthy_age: Annotated[str, Span(0, 3600)] = "10s"
    cooldown: Annotated[str, Span(0, 86_400)] = "60s"
    cooldown_max: Annotated[str, Span(0, 86_400)] = "1h"
    budget: Budget = field(default_factory=Budget)
    storm_percent: Annotated[int, Whole(1, 100)] = 30
    healthy_delay: Annotated[str, Span(0, 86_400)] = "5m"
    quarantine: Literal["Affinity", "Taint"] = "Affinity"
    cpu_limit_percent: Annotated[int, Whole(100, 1000)] = 100
    own_look: bool = True
    trust_alerts: bool | None = None

    @property
    def alerts_suffice(self) -> bool:
        """Whether an alert is acted on without measurements of one's own."""
        return not self.own_look if self.trust_alerts is None else self.trust_alerts


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Weights of the order in which rooms are mixed."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "self.alpha + self.beta > 0.0",
            "alpha and beta must not both be 0",
            lambda self: bool(self.alpha + self.beta > 0),
        ),
    )
    alpha: Annotated[float, Number(0, 1)] = 0.7
    beta: Annotated[float, Number(0, 1)] = 0.3
    base_rate: Annotated[int, Whole(8000, 192_000)] = 48_000
    """Samples a second."""
    deadline_ms: Annotated[int, Whole(1, 40)] = 9
