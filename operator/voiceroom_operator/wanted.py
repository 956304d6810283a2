"""What a MixerPool asks for, as far as the planners look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voiceroom_api.duration import parse_duration
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.poolparts import Network

TCP_LISTENERS: Final = 3
"""http, admin and metrics: with network.mode HostNetwork they need ports of the node as well."""


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports of a node that the pool may use, dealt out in blocks of ``block`` a pod."""

    first: int
    count: int
    block: int = 1

    def blocks(self) -> list[tuple[int, ...]]:
        """All whole blocks, lowest first."""
        starts = range(self.first, self.first + self.count - self.block + 1, self.block)
        return [tuple(range(start, start + self.block)) for start in starts]

    def holds(self, ports: tuple[int, ...]) -> bool:
        """Whether these are ports that the range can give to a pod."""
        last = self.first + self.count - 1
        return len(ports) == self.block and all(self.first <= port <= last for port in ports)


@dataclass(frozen=True, slots=True)
class PoolWanted:
    """One MixerPool."""

    name: str
    uid: str
    revision: str
    """Of what shapes its pods (``children.revision``)."""
    size_min: int = 1
    size_max: int = 10
    spare: int = 1
    capacity_rooms: int = 100
    """A pod: rooms that are there, and those it is the twin of."""
    capacity_participants: int = 500
    """A pod: legs that are there, and those of rooms it is the twin of."""
    ports: PortRange | None = None
    """None: pods need no port of their node (network.mode PodIP)."""
    drain_s: float = 600.0
    deleting: bool = False
    has_finalizer: bool = True
    canary_of: str = ""
    """The pool whose rooms it shares; empty = it is no canary."""


def pool_wanted(
    name: str,
    uid: str,
    spec: MixerPoolSpec,
    revision: str,
    *,
    deleting: bool = False,
    has_finalizer: bool = True,
) -> PoolWanted:
    """The planners' view of a MixerPool."""
    return PoolWanted(
        name=name,
        uid=uid,
        revision=revision,
        size_min=spec.size.min,
        size_max=spec.size.max,
        spare=spec.size.spare,
        capacity_rooms=spec.capacity.rooms,
        capacity_participants=spec.capacity.participants,
        ports=_ports(spec.network, spec.media_processes),
        drain_s=float(parse_duration(spec.drain.deadline)),
        deleting=deleting,
        has_finalizer=has_finalizer,
        canary_of=spec.canary.of if spec.canary is not None else "",
    )


def _ports(network: Network, media_processes: int) -> PortRange | None:
    """UDP and TCP have ports apart, so one block of numbers serves both."""
    if network.mode == "PodIP":
        return None
    host = network.mode == "HostNetwork"
    block = max(media_processes, TCP_LISTENERS) if host else media_processes
    return PortRange(network.udp_port, network.udp_port_count, block)
