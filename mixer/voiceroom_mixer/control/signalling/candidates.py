"""Where clients reach us: the addresses that answers list, best first."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from voiceroom_mixer.config import RunConfig

FIRST_PRIORITY: Final = 2_130_706_431
"""RFC 8445 §5.1.2.1 for host, local preference 65535, component 1."""
PRIORITY_STEP: Final = 256
"""One local preference."""
_PROBES: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Documentation addresses: asking for the route to them sends nothing."""
Ip = IPv4Address | IPv6Address


class Candidate(NamedTuple):
    """A host candidate of an answer."""

    ip: str
    port: int
    priority: int


@dataclass(frozen=True, slots=True)
class Advertised:
    """One media process as clients see it."""

    addresses: tuple[Ip, ...]
    port: int

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """In falling priority."""
        return tuple(
            Candidate(str(ip), self.port, FIRST_PRIORITY - i * PRIORITY_STEP)
            for i, ip in enumerate(self.addresses)
        )

    @property
    def own(self) -> frozenset[Ip]:
        """Addresses that would loop back to us."""
        loopback: tuple[Ip, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
        return frozenset(self.addresses + loopback)

    def like(self, peer: Ip) -> Ip | None:
        """Our first address of the peer's IP version."""
        return next((ip for ip in self.addresses if ip.version == peer.version), None)


def advertised(config: RunConfig, port: int, *, is_ipv6: bool) -> Advertised:
    """What a media process on ``port`` is reached by: what the run says, else what it listens on,
    else the machine's own addresses; loopback too where people come over loopback."""
    found = [ipaddress.ip_address(text) for text in config.advertise] or _found(config)
    usable = tuple(dict.fromkeys(ip for ip in found if is_ipv6 or ip.version == 4))
    return Advertised(usable or (IPv4Address("127.0.0.1"),), port)


def _found(config: RunConfig) -> list[Ip]:
    listening = _literal(config.udp.host)
    if listening is not None and not listening.is_unspecified:
        return [listening]
    people = _literal(config.http.host)
    local = people is not None and people.is_loopback
    return routed_addresses() + ([IPv4Address("127.0.0.1")] if local else [])


def routed_addresses(probes: Sequence[tuple[int, str]] = _PROBES) -> list[Ip]:
    """The addresses that this machine would send from; link-local ones are of no use to others."""
    found: list[Ip] = []
    for family, target in probes:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))
                found.append(ipaddress.ip_address(probe.getsockname()[0]))
            except OSError:
                continue  # no route of this IP version: no address either
    return [ip for ip in found if not ip.is_link_local]


def _literal(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
