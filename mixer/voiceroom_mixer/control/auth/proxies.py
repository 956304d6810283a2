"""Who is asking: the client behind trusted proxies (``X-Forwarded-For``, ``-Proto``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_HOPS: Final = 32


class Source(NamedTuple):
    """A client's address, as text without a port, and the scheme that it used."""

    address: str
    scheme: str

    @property
    def limit_key(self) -> str:
        """What limits count: the address; of IPv6 the /64, which is one host's to choose from."""
        parsed = _address(self.address)
        if isinstance(parsed, ipaddress.IPv6Address):
            return str(ipaddress.IPv6Network((parsed, 64), strict=False))
        return self.address


def parse_networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """The networks; an address alone is a network of one. Raises ``ValueError`` naming it."""
    return tuple(_network(cidr.strip()) for cidr in cidrs)


def _network(cidr: str) -> Network:
    try:
        return ipaddress.ip_network(cidr)
    except ValueError as error:
        raise ValueError(
            f"{cidr!r} is not a CIDR such as 10.0.0.0/8 or fd00::/8: {error}"
        ) from error


def contains(networks: Iterable[Network], address: str) -> bool:
    """Whether ``address`` (a literal, else False) is in one of ``networks``."""
    parsed = _address(address)
    return parsed is not None and any(
        parsed.version == network.version and parsed in network for network in networks
    )


class Proxies:
    """Reads forwarded headers, but only from proxies that are trusted."""

    def __init__(self, trusted: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)

    def source(
        self, peer: str, scheme: str, forwarded_for: Iterable[str], forwarded_proto: str | None
    ) -> Source:
        """Who asks, given the socket's peer and scheme, and the headers in their order.

        Read from the right: the first address that is no trusted proxy is the client; what stands
        left of it anybody could have written. Something unreadable ends the walk.
        """
        client = _plain(peer)
        if not contains(self._trusted, client):
            return Source(client, scheme)
        for hop in _hops(forwarded_for):
            if _address(hop) is None:
                break
            client = _plain(hop)
            if not contains(self._trusted, client):
                break
        return Source(client, _scheme(forwarded_proto) or scheme)


def _hops(values: Iterable[str]) -> Iterator[str]:
    hops = ",".join(values).rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]
    for hop in reversed(hops):
        yield _without_port(hop.strip())


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and hop.count(":") == 1 else hop


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _plain(text: str) -> str:
    address = _address(text)
    return text if address is None else str(address)


def _scheme(value: str | None) -> str | None:
    """The rightmost: what the nearest, trusted, proxy wrote."""
    last = (value or "").rpartition(",")[2].strip().lower()
    return last if last in ("http", "https") else None
