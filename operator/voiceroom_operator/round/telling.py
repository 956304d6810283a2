"""What is on record, made into documents for the pods of each pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceroom_api.voiceroom import PinSecretRef, VoiceRoomSpec
from voiceroom_operator.admin.access import Access, Resolve
from voiceroom_operator.admin.looks import Target
from voiceroom_operator.admin.mail import Mail
from voiceroom_operator.binding.assignment import RoomCard, Seat, pod_settings, seats_at
from voiceroom_operator.binding.directory import Directory, Place
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.events import Note
from voiceroom_operator.grouping import NOBODY, Group, differences
from voiceroom_operator.round import saying
from voiceroom_operator.round.facts import Facts
from voiceroom_operator.round.families import pods_of_family
from voiceroom_operator.round.outcome import Outcome
from voiceroom_operator.round.secrets import SecretReader, secrets_of
from voiceroom_operator.round.seen import PodRecord, PoolRecord, RoomRecord, Seen


@dataclass(frozen=True, slots=True)
class _Told:
    """What a pod is told of its rooms, and what it was made from."""

    bound: Group[RoomRecord]
    others: Group[RoomRecord]
    ice: list[dict[str, Any]]
    until_s: float
    """Secrets are to be read again then (monotonic)."""
    seats: tuple[Seat, ...]
    cards: Mapping[str, RoomCard]

    def holds(
        self, bound: Group[RoomRecord], others: Group[RoomRecord], ice: object, now_s: float
    ) -> bool:
        """Whether it would be made the same again: statuses of rooms are not told."""
        if now_s >= self.until_s or self.ice != ice:
            return False
        return _are_told_alike(self.bound, bound) and _are_told_alike(self.others, others)


class Teller:
    """Keeps every pool's directory, and posts."""

    def __init__(
        self,
        mail: Mail,
        secrets: SecretReader,
        resolve: Resolve,
        access: Callable[[str], Access | None],
        say: Callable[[Note], None],
    ) -> None:
        """``access``: to the pods of the pool with this uid."""
        self._mail = mail
        self._secrets = secrets
        self._resolve = resolve
        self._access = access
        self._say = say
        self._directories: dict[str, Directory] = {}
        self._told: dict[str, dict[str, _Told]] = {}

    def target(self, pod: Body, pool_uid: str) -> Target | None:
        """How the pod is reached; None = not yet, or no more."""
        access, address = self._access(pool_uid), self._resolve(pod)
        phase = (pod.get("status") or {}).get("phase")
        if access is None or not address or phase in ("Failed", "Succeeded"):
            return None
        metadata = pod["metadata"]
        return Target(metadata["namespace"], metadata["name"], metadata["uid"], address, access)

    async def tell(self, seen: Seen, facts: Facts, outcome: Outcome) -> None:
        """Every pod that can be told and has said where it stands."""
        before, self._told[seen.namespace] = self._told.get(seen.namespace, {}), {}
        for pool in seen.pools.values():
            directory = self._directories.setdefault(pool.ref.uid, Directory())
            directory.update(*self._places(seen, pool))
            ice = await outcome.tried(
                "read iceServers", self._secrets.ice_servers(seen.namespace, pool.read.spec)
            )
            peers = facts.peers(pool.wanted.name)
            for pod in seen.pods_of(pool.wanted.name):
                target = self.target(pod.body, pool.ref.uid)
                if target is None or not pod.heard or ice is None:
                    continue
                told = await self._of_pod(seen, pod, before.get(target.uid), ice, outcome)
                if told is not None:
                    self._told[seen.namespace][target.uid] = told
                    near = tuple(at for name, at in peers.items() if name != pod.seen.name)
                    settings = pod_settings(pool.read.spec, facts.addresses(pod), near)
                    self._mail.tell(target, directory, told.seats, told.cards, settings)
        if not self._told[seen.namespace]:
            del self._told[seen.namespace]
        self._secrets.keep(seen.namespace, _used(seen))

    async def _of_pod(
        self,
        seen: Seen,
        pod: PodRecord,
        known: _Told | None,
        ice: list[dict[str, Any]],
        outcome: Outcome,
    ) -> _Told | None:
        """None when a PIN cannot be read now: a room is not told without it."""
        name = pod.seen.name
        bound, others = seen.bound.get(name, NOBODY), seen.others.get(name, NOBODY)
        if known is not None and known.holds(bound, others, ice, self._secrets.now_s()):
            return replace(known, bound=bound, others=others)
        taken = seats_at(name, (room.seen for room in (bound | others).values()))
        before = known.cards if known is not None and known.ice == ice else {}
        cards = await self._cards(seen, taken, ice, before, outcome)
        if cards is None:
            return None
        used = {*bound.once(_pins), *others.once(_pins)}
        until_s = self._secrets.until_s(seen.namespace, used)
        return _Told(bound, others, ice, until_s, taken, cards)

    def _places(self, seen: Seen, pool: PoolRecord) -> list[Mapping[str, Place]]:
        """Of rooms whose pod has an address, by pod: those of canaries as well."""
        addresses = {
            pod.seen.name: self._resolve(pod.body) for pod in pods_of_family(seen, pool.wanted.name)
        }
        return [
            seen.bound[pod].once(_places, pod, address)
            for pod, address in addresses.items()
            if address and pod in seen.bound
        ]

    async def _cards(
        self,
        seen: Seen,
        mine: tuple[Seat, ...],
        ice: list[dict[str, Any]],
        before: Mapping[str, RoomCard],
        outcome: Outcome,
    ) -> Mapping[str, RoomCard] | None:
        """``before``: as they were made last, with the same ``ice``."""
        cards: dict[str, RoomCard] = {}
        for name in (seat.room.name for seat in mine):
            room, last = seen.rooms[name], before.get(name)
            has_pin = _pin_ref(room.read.spec) is not None
            if last is not None and last.spec is room.read.plain and not has_pin:
                cards[name] = last
                continue
            pin = await outcome.tried("read a PIN", self._pin(seen.namespace, room))
            if pin is None:
                return None
            cards[name] = RoomCard(room.read.plain, pin, tuple(ice))
        return cards

    async def _pin(self, namespace: str, room: RoomRecord) -> str:
        ref = _pin_ref(room.read.spec)
        if ref is None:
            return ""
        found = await self._secrets.pin_hash(namespace, room.seen.uid, ref)
        if not found:
            self._say(saying.pin_missing(room.body, ref.name, ref.key))
        return found

    def forget(self) -> None:
        """Make all documents anew."""
        self._told.clear()

    def keep(self, uids: set[str]) -> None:
        """Forget pools that are gone."""
        self._directories = {uid: d for uid, d in self._directories.items() if uid in uids}


def _pin_ref(spec: VoiceRoomSpec) -> PinSecretRef | None:
    return spec.access.pin_secret_ref


def _are_told_alike(before: Group[RoomRecord], after: Group[RoomRecord]) -> bool:
    changed = differences(before, after)
    return all(_is_told_alike(before.get(name), after.get(name)) for name in changed)


def _is_told_alike(one: RoomRecord | None, other: RoomRecord | None) -> bool:
    if one is None or other is None:
        return False
    return one.seen is other.seen and one.read is other.read


def _pins(rooms: Mapping[str, RoomRecord]) -> frozenset[str]:
    """Names of the Secrets that hold the rooms' PINs."""
    refs = (_pin_ref(room.read.spec) for room in rooms.values())
    return frozenset(ref.name for ref in refs if ref is not None)


def _places(rooms: Mapping[str, RoomRecord], pod: str, address: str) -> Mapping[str, Place]:
    here = (room.seen for room in rooms.values() if not room.seen.deleting)
    return {room.name: Place(pod, address, room.epoch) for room in here}


def _used(seen: Seen) -> set[str]:
    pins = (rooms.once(_pins) for rooms in seen.bound.values())
    pools = (secrets_of(pool.read.spec) for pool in seen.pools.values())
    return set().union(*pins, *pools)
