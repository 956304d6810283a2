"""Plain-RTP legs: gateways that bring no WebRTC (contract §4)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from voiceroom_mixer.control.auth import roles
from voiceroom_mixer.control.rooms import fields, views
from voiceroom_mixer.control.rooms.admission import admit
from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.registry import Leg, Room
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.control.signalling.candidates import Advertised
from voiceroom_mixer.core.state.legstate import Role

FIELDS: Final = frozenset({"kind", "ip", "port", "payloadType", "identity", "role", "levelExt"})
ROLES: Final[dict[str, Role]] = {"speaker": "speaker", "listener": "listener"}
PAYLOAD_TYPES: Final = (96, 127)
IDENTITY_MAX: Final = 128
LEVEL_EXT: Final = 1
"""A gateway negotiates nothing: the extension id at which everybody sends RFC 6464 levels. A sender
without levels loses nothing by it, and a silent one with them is not decoded."""
LEVEL_EXT_MAX: Final = 14
Ip = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class RtpRequest:
    """A checked body."""

    ip: Ip
    port: int
    """0 = latch to the first valid source."""
    payload_type: int
    identity: str
    role: Role
    level_ext: int
    """RFC 8285 id of its RFC 6464 levels; 0 = never look for them."""


def parse(body: Mapping[str, Any], claims: Claims) -> RtpRequest:
    """Raises ``ApiError`` 422 that names the field."""
    fields.only(body, FIELDS)
    if body.get("kind") != "rtp":
        raise fields.invalid("kind", 'must be "rtp"; WebRTC legs join by WHIP or WHEP')
    role = ROLES.get(fields.text(body, "role", "speaker", 16))
    if role is None:
        raise fields.invalid("role", f"must be one of {', '.join(ROLES)}")
    return RtpRequest(
        ip=_ip(body.get("ip")),
        port=fields.integer(body, "port", 0, 65535),
        payload_type=fields.integer(body, "payloadType", *PAYLOAD_TYPES),
        identity=fields.text(body, "identity", claims.sub, IDENTITY_MAX),
        role=role,
        level_ext=fields.integer(body, "levelExt", 0, LEVEL_EXT_MAX, LEVEL_EXT),
    )


def _ip(value: object) -> Ip:
    if not isinstance(value, str):
        raise fields.invalid("ip", "is required, an IPv4 or IPv6 address")
    try:
        ip = ipaddress.ip_address(value)
    except ValueError:
        raise fields.invalid("ip", "must be an IPv4 or IPv6 address, not a name") from None
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    if ip.is_multicast or ip.is_unspecified or getattr(ip, "scope_id", None):
        raise fields.invalid("ip", "must be the unicast address of one host, without a zone")
    return mapped or ip


class RtpLegs:
    """Makes them."""

    def __init__(self, house: House, allow: Sequence[str]) -> None:
        self._house = house
        self._allow = [ipaddress.ip_network(cidr, strict=False) for cidr in allow]

    def add(self, room: Room, claims: Claims, body: Mapping[str, Any]) -> dict[str, Any]:
        """``{"id","ip","port","payloadType","ssrc"}``: where the gateway sends to.

        Raises ``ApiError``: 403 ``not_allowed``, 409 ``address_taken``, 422, and what ``admit``
        raises.
        """
        roles.require(claims, "add_rtp_leg", room.name)
        request = parse(body, claims)
        advertised = self._house.advertised[room.link.index]
        ours = self._reachable(request, advertised)
        self._free(request, room.link.index)
        self._admit(room, claims)
        leg = self._create(room, claims, request)
        self._house.publish(room.name, "joined", views.participant(leg))
        return {
            "id": leg.id,
            "ip": str(ours),
            "port": advertised.port,
            "payloadType": request.payload_type,
            "ssrc": leg.state.ssrc,
        }

    def _admit(self, room: Room, claims: Claims) -> None:
        house = self._house
        now_ns = house.clock.now_ns()
        admit(house.registry, room, claims, None, limit=house.limit, now_ns=now_ns)

    def _reachable(self, request: RtpRequest, advertised: Advertised) -> Ip:
        """Our address for that peer, if it may be reached at all."""
        if not any(request.ip in network for network in self._allow):
            raise ApiError(
                403,
                "not_allowed",
                f"ip: {request.ip} is outside rtpAllowCIDRs (option --rtp-allow)",
                field="ip",
            )
        ours = advertised.like(request.ip)
        if ours is None:
            raise fields.invalid("ip", f"no IPv{request.ip.version} here: the media port has none")
        if request.port == advertised.port and request.ip in advertised.own:
            raise fields.invalid("port", "is the mixer's own: sound would go in a circle")
        return ours

    def _free(self, request: RtpRequest, link_index: int) -> None:
        """One address is one leg; and so are legs that wait for a source in the same way."""
        registry, ip = self._house.registry, str(request.ip)
        heard = registry.links[link_index].heard_from(request.port)
        for leg in registry.legs():
            is_near = leg.state.remote_ip == ip and leg.link.index == link_index
            if is_near and _clash(leg, request, heard):
                raise ApiError(
                    409,
                    "address_taken",
                    f"another leg has {request.ip} port {request.port} already",
                )

    def _create(self, room: Room, claims: Claims, request: RtpRequest) -> Leg:
        return self._house.book.create(
            room,
            claims,
            kind="rtp",
            identity=request.identity,
            role=request.role,
            inherits=None,
            sends=request.role != "listener",
            receives=True,
            payload_type=request.payload_type,
            remote_ip=str(request.ip),
            remote_port=request.port,
            level_ext=request.level_ext,
        )


def _clash(leg: Leg, request: RtpRequest, heard: Set[int]) -> bool:
    """Of a leg with the request's IP address. Where it is heard from, media knows: it is asked
    about few of a crowd. ``heard``: slots that may be heard from the request's port."""
    state = leg.state
    if not request.port:
        waits_alike = not state.remote_port and state.payload_type == request.payload_type
        return waits_alike and leg.figures().address is None
    if state.remote_port == request.port:
        return True
    address = leg.figures().address if state.slot in heard else None
    return address is not None and address[1] == request.port
