"""Specs of objects, read once for each generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from voiceroom_api import fields
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.problems import Problem
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_operator.children.revision import revision
from voiceroom_operator.cluster.api import Body

S = TypeVar("S", bound=VoiceRoomSpec | MixerPoolSpec)


@dataclass(frozen=True, slots=True)
class Read(Generic[S]):
    """A spec as it was read."""

    generation: int
    spec: S
    plain: Mapping[str, Any]
    """The same as in YAML, defaults written out."""
    revision: str = ""
    problems: tuple[str, ...] = ()
    """What is wrong with it; ``spec`` is then the last good one, or the defaults."""


class Specs(Generic[S]):
    """By the object's uid. What the API server let through is readable, unless its definitions
    are of another version: then a room goes on as it was."""

    def __init__(self, into: type[S], shape: Callable[[S], str] = lambda _: "") -> None:
        self._into = into
        self._shape = shape
        self._known: dict[str, Read[S]] = {}

    def read(self, body: Body) -> Read[S]:
        """The object's spec."""
        uid, generation = body["metadata"]["uid"], int(body["metadata"].get("generation", 0))
        known = self._known.get(uid)
        if known is not None and known.generation == generation:
            return known
        found = self._known[uid] = self._fresh(body, generation, known)
        return found

    def _fresh(self, body: Body, generation: int, known: Read[S] | None) -> Read[S]:
        problems: list[Problem] = []
        spec = fields.read(self._into, body.get("spec") or {}, "spec", problems)
        words = tuple(f"{problem.path}: {problem.message}" for problem in problems)
        if spec is None:
            spec = known.spec if known is not None else self._into()
        return Read(generation, spec, spec.to_dict(), self._shape(spec), words)

    def keep(self, uids: set[str]) -> None:
        """Forget all others."""
        self._known = {uid: found for uid, found in self._known.items() if uid in uids}


def room_specs() -> Specs[VoiceRoomSpec]:
    """For VoiceRooms."""
    return Specs(VoiceRoomSpec)


def pool_specs(*, chaos: bool = False) -> Specs[MixerPoolSpec]:
    """For MixerPools; ``chaos``: their pods take faults on order."""
    return Specs(MixerPoolSpec, partial(revision, chaos=chaos))
