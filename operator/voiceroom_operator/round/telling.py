"""What is on record, made into documents for the pods of each pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voiceroom_api.voiceroom import PinSecretRef, VoiceRoomSpec
from voiceroom_operator.admin.access import Access, Resolve
from voiceroom_operator.admin.looks import Target
from voiceroom_operator.admin.mail import Mail
from voiceroom_operator.binding.assignment import RoomCard, Seat, pod_settings, seats
from voiceroom_operator.binding.directory import Directory, Place
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.events import Note
from voiceroom_operator.round import saying
from voiceroom_operator.round.facts import Facts
from voiceroom_operator.round.outcome import Outcome
from voiceroom_operator.round.secrets import SecretReader, secrets_of
from voiceroom_operator.round.seen import PodRecord, PoolRecord, RoomRecord, Seen

_NOBODY: tuple[Seat, ...] = ()


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
        taken = seats(room.seen for room in seen.rooms.values())
        for pool in seen.pools.values():
            directory = self._directories.setdefault(pool.ref.uid, Directory())
            directory.update(self._places(seen, pool))
            ice = await outcome.tried(
                "read iceServers", self._secrets.ice_servers(seen.namespace, pool.read.spec)
            )
            for pod in seen.pods_of(pool.wanted.name):
                target = self.target(pod.body, pool.ref.uid)
                if target is None or not pod.heard or ice is None:
                    continue
                mine = taken.get(pod.seen.name, _NOBODY)
                cards = await self._cards(seen, mine, ice, outcome)
                if cards is not None:
                    peers = self._peers(seen, facts, pod)
                    settings = pod_settings(pool.read.spec.capacity, facts.addresses(pod), peers)
                    self._mail.tell(target, directory, mine, cards, settings)
        self._secrets.keep(seen.namespace, _used(seen))

    def _peers(self, seen: Seen, facts: Facts, pod: PodRecord) -> tuple[str, ...]:
        """Where the media of the pool's other pods is, for other mixers."""
        others = (one for one in seen.pods_of(pod.seen.pool) if one is not pod)
        ready = (one for one in others if one.seen.ready and not one.seen.deleting)
        each = (facts.peer(one) for one in sorted(ready, key=lambda one: one.seen.name))
        return tuple(address for address in each if address)

    def _places(self, seen: Seen, pool: PoolRecord) -> dict[str, Place]:
        """Of rooms whose pod has an address."""
        places: dict[str, Place] = {}
        addresses = {
            pod.seen.name: self._resolve(pod.body) for pod in seen.pods_of(pool.wanted.name)
        }
        for room in seen.rooms.values():
            address = addresses.get(room.seen.pod, "")
            if address and not room.seen.deleting:
                places[room.seen.name] = Place(room.seen.pod, address, room.seen.epoch)
        return places

    async def _cards(
        self,
        seen: Seen,
        mine: tuple[Seat, ...],
        ice: list[dict[str, Any]],
        outcome: Outcome,
    ) -> Mapping[str, RoomCard] | None:
        """None when a PIN cannot be read now: a room is not told without it."""
        cards: dict[str, RoomCard] = {}
        for seat in mine:
            room = seen.rooms[seat.room.name]
            pin = await outcome.tried("read a PIN", self._pin(seen.namespace, room))
            if pin is None:
                return None
            cards[seat.room.name] = RoomCard(room.read.plain, pin, tuple(ice))
        return cards

    async def _pin(self, namespace: str, room: RoomRecord) -> str:
        ref = _pin_ref(room.read.spec)
        if ref is None:
            return ""
        found = await self._secrets.pin_hash(namespace, room.seen.uid, ref)
        if not found:
            self._say(saying.pin_missing(room.body, ref.name, ref.key))
        return found

    def keep(self, uids: set[str]) -> None:
        """Forget pools that are gone."""
        self._directories = {uid: d for uid, d in self._directories.items() if uid in uids}


def _pin_ref(spec: VoiceRoomSpec) -> PinSecretRef | None:
    return spec.access.pin_secret_ref


def _used(seen: Seen) -> set[str]:
    pins = (_pin_ref(room.read.spec) for room in seen.rooms.values())
    found = {ref.name for ref in pins if ref is not None}
    return found.union(*(secrets_of(pool.read.spec) for pool in seen.pools.values()))
