"""``PUT /admin/v1/assignment``: the rooms of this pod, read and checked whole (contract §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.config import Limits, RoomEntry
from voiceroom_mixer.control.admin import checks
from voiceroom_mixer.core.defend.urgency import Weights

MAX_ROOMS: Final = 2000
"""Own rooms and those the pod is the twin of."""
MAX_OWNED: Final = 1000
MAX_MOVE: Final = 128
MAX_PEERS: Final = 64
Role = Literal["owner", "twin", "successor"]
_ROLES: Final[Mapping[str, Role]] = {"owner": "owner", "twin": "twin", "successor": "successor"}


@dataclass(frozen=True, slots=True)
class Seat:
    """The pod's part in one room."""

    room: RoomEntry
    role: Role
    other: str
    """The twin's pod for the owner, the owner's for all others; empty = there is none."""
    address: str
    """``HOST:PORT`` of that pod's admin listener; empty = the directory knows."""
    move: str
    """Id of the move that makes it the successor."""
    raw: Mapping[str, Any]
    """As it came."""

    @property
    def name(self) -> str:
        """The room's."""
        return self.room["name"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One document."""

    term: int
    generation: int
    seats: tuple[Seat, ...]
    limits: Limits
    advertise: tuple[str, ...]
    peers: tuple[str, ...]
    """``IP:PORT`` of other pods' media, who are asked whether they hear somebody."""
    raw: Mapping[str, Any]
    """As it came: what is kept, and compared."""
    weights: Weights = field(default_factory=Weights)
    """In which order rooms are mixed."""

    def owned(self) -> tuple[RoomEntry, ...]:
        """The rooms that this pod runs."""
        return tuple(seat.room for seat in self.seats if seat.role == "owner")


def read(body: Mapping[str, Any], before: Assignment | None = None) -> Assignment:
    """Raises ``ApiError`` 422 that names the field. What is as in ``before`` is not checked again:
    an assignment of a thousand rooms mostly repeats the last one."""
    known = {seat.name: seat for seat in before.seats} if before else {}
    given = checks.entries(body.get("rooms"), "rooms", MAX_ROOMS)
    seats = tuple(_seat(entry, f"rooms[{i}]", known) for i, entry in enumerate(given))
    _check_set(seats)
    return Assignment(
        term=checks.whole(body, "term", "term", 0),
        generation=checks.whole(body, "generation", "generation", 1),
        seats=seats,
        limits=_limits(body.get("limits")),
        advertise=checks.advertised(body.get("advertise"), "advertise"),
        peers=checks.media(body.get("peers"), "peers", MAX_PEERS),
        raw=body,
        weights=_weights(body.get("scheduling")),
    )


def _seat(value: object, path: str, known: Mapping[str, Seat]) -> Seat:
    entry = checks.mapping(value, path)
    name = checks.room_name(entry.get("name"), f"{path}.name")
    if name in known and known[name].raw == entry:
        return known[name]
    role = _ROLES.get(str(entry.get("role", "owner")))
    if role is None:
        raise checks.refuse(f"{path}.role", "must be owner, twin or successor")
    partner = "twin" if role == "owner" else "owner"
    other = checks.text(entry.get(partner) or "", f"{path}.{partner}", 0)
    address = entry.get(f"{partner}Address")
    if address is not None:
        address = checks.address(address, f"{path}.{partner}Address")
    move = checks.text(entry.get("move") or "", f"{path}.move", 0, MAX_MOVE)
    return Seat(_room(entry, name, path), role, other, address or "", move, entry)


def _room(entry: Mapping[str, Any], name: str, path: str) -> RoomEntry:
    room = RoomEntry(
        name=name,
        spec=checks.room_spec(entry.get("spec"), f"{path}.spec"),
        pinHash=checks.pin_hash(entry.get("pinHash"), f"{path}.pinHash"),
        uid=checks.text(entry.get("uid"), f"{path}.uid"),
        epoch=checks.whole(entry, "epoch", f"{path}.epoch", 1),
    )
    if "iceServers" in entry:
        room["iceServers"] = checks.ice_servers(entry["iceServers"], f"{path}.iceServers")
    return room


def _limits(value: object) -> Limits:
    if value is None:
        return Limits()
    limits = checks.mapping(value, "limits")
    return Limits(
        rooms=checks.whole(limits, "rooms", "limits.rooms", 1, 1000),
        participants=checks.whole(limits, "participants", "limits.participants", 1, 5000),
    )


def _weights(value: object) -> Weights:
    """The pool's ``spec.scheduling``; the usual ones where an older operator says nothing."""
    if value is None:
        return Weights()
    path, given = "scheduling", checks.mapping(value, "scheduling")
    alpha = checks.number(given, "alpha", f"{path}.alpha", 0, 1)
    beta = checks.number(given, "beta", f"{path}.beta", 0, 1)
    if not alpha + beta:
        raise checks.refuse(path, "alpha and beta must not both be 0")
    base_rate = checks.whole(given, "baseRate", f"{path}.baseRate", 8_000, 192_000)
    deadline_ms = checks.whole(given, "deadlineMs", f"{path}.deadlineMs", 1, 40)
    return Weights(alpha, beta, base_rate, deadline_ms * NS_PER_MS)


def _check_set(seats: tuple[Seat, ...]) -> None:
    seen: set[str] = set()
    for i, seat in enumerate(seats):
        if seat.name in seen:
            raise checks.refuse(f"rooms[{i}].name", f"{seat.name} is in the list twice")
        seen.add(seat.name)
    owned = sum(seat.role == "owner" for seat in seats)
    if owned > MAX_OWNED:
        raise checks.refuse("rooms", f"a pod runs at most {MAX_OWNED} rooms (got {owned})")
