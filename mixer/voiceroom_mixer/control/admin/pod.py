"""Everything that a mixer has in a pod and not on a laptop, wired."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.config import PodPlace, RealtimeAsk, RunConfig
from voiceroom_mixer.control.admin.assignment import Assignment
from voiceroom_mixer.control.admin.desk import Desk
from voiceroom_mixer.control.admin.forwarding import Forwarder
from voiceroom_mixer.control.admin.status import PodStatus
from voiceroom_mixer.control.admin.store import Store
from voiceroom_mixer.control.admin.trust import Trust, pool_files
from voiceroom_mixer.control.auth.keys import KeySet
from voiceroom_mixer.control.auth.tokens import sign
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.control.rooms.facts import RoomFacts
from voiceroom_mixer.control.rooms.service import Rooms
from voiceroom_mixer.edge import cgroup
from voiceroom_mixer.edge.shm import Segment

HOP_TOKEN_S: Final = 120
"""How long a token is good that this mixer shows to another."""


def open_desk(place: PodPlace) -> Desk:
    """With what the container before this one was told."""
    return Desk(Store(Path(place.state_dir)))


def as_assigned(config: RunConfig, desk: Desk) -> RunConfig:
    """``config`` with the rooms, limits and addresses of the assignment that is held."""
    held = desk.assignment
    if held is None:
        return config
    return replace(config, rooms=held.owned(), limits=held.limits, advertise=held.advertise)


class PodSide:
    """Between the operator and the rooms of this pod."""

    def __init__(
        self,
        config: RunConfig,
        desk: Desk,
        rooms: Rooms,
        facts: RoomFacts,
        readiness: Readiness,
        segments: Sequence[Segment],
        numbers: Numbers,
        keys: Callable[[], KeySet],
        *,
        now_ns: Callable[[], int],
        wall_ns: Callable[[], int],
    ) -> None:
        """Raises ``ConfigError`` when the pool's TLS files cannot be used."""
        assert config.pod is not None
        self._place, self._rooms, self._facts = config.pod, rooms, facts
        self._keys, self._wall_ns = keys, wall_ns
        self.desk = desk
        self.trust = Trust(pool_files(self._place), self._place.tls_name)
        self.status = PodStatus(
            place=self._place,
            ask=config.realtime or RealtimeAsk(),
            desk=desk,
            load=rooms,
            readiness=readiness,
            segments=segments,
            budget=cgroup.read_budget,
            cpus=_cpus_of_the_pod,
            now_ns=now_ns,
            held=self.held,
        )
        readiness.refused = self.status.refused
        self.forwarder = Forwarder(desk, self._place.name, self.trust, self._token, numbers)
        desk.apply = self._apply
        if desk.assignment is not None:
            # control may have died between keeping the assignment and carrying it out
            self._apply(desk.assignment)

    def held(self) -> dict[str, str]:
        """By room: the field that changes when the people have gone."""
        return self._rooms.assigning.held

    def _apply(self, wanted: Assignment) -> None:
        owned = wanted.owned()
        self._facts.replace(owned)
        self._rooms.assign(owned, wanted.limits, wanted.advertise, self._has_moved)

    def _has_moved(self, room: str) -> bool:
        place = self.desk.place(room)
        return place is not None and place.pod != self._place.name

    def _token(self) -> str:
        return sign(
            self._keys(),
            sub=self._place.name,
            room="pool",
            role="admin",
            now_s=self._wall_ns() / NS_PER_S,
            ttl_s=HOP_TOKEN_S,
        )


def _cpus_of_the_pod() -> int:
    """By the keeper, which is never pinned."""
    return len(os.sched_getaffinity(os.getppid()))
