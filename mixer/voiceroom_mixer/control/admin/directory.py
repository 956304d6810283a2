"""``PUT /admin/v1/directory``: where the pool's rooms live, as numbered deltas (contract §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from voiceroom_mixer.control.admin import checks

MAX_PLACES: Final = 20_000


class Place(NamedTuple):
    """Where a room is."""

    pod: str
    address: str
    """``HOST:PORT`` of the pod's admin listener."""
    epoch: int

    def to_dict(self) -> dict[str, Any]:
        """As in the document."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Delta:
    """One document: it takes who is at number ``start`` to ``end``; 0 replaces everything."""

    term: int
    start: int
    end: int
    set: Mapping[str, Place]
    gone: tuple[str, ...]


def read(body: Mapping[str, Any]) -> Delta:
    """Raises ``ApiError`` 422 that names the field."""
    term = checks.whole(body, "term", "term", 0)
    start = checks.whole(body, "from", "from", 0)
    end = checks.whole(body, "to", "to", start)
    given = checks.mapping(body.get("set"), "set")
    if len(given) > MAX_PLACES:
        raise checks.refuse("set", f"must have at most {MAX_PLACES} rooms (got {len(given)})")
    gone = checks.entries(body.get("gone", []), "gone", MAX_PLACES)
    return Delta(
        term,
        start,
        end,
        {checks.room_name(name, f"set.{name}"[:80]): _place(given[name], name) for name in given},
        tuple(checks.room_name(name, f"gone[{i}]") for i, name in enumerate(gone)),
    )


def _place(value: object, room: str) -> Place:
    path = f"set.{room[:63]}"
    place = checks.mapping(value, path)
    return Place(
        checks.text(place.get("pod"), f"{path}.pod"),
        checks.address(place.get("address"), f"{path}.address"),
        checks.whole(place, "epoch", f"{path}.epoch", 0),
    )


@dataclass(frozen=True, slots=True)
class Directory:
    """What the pod knows; replaced whole by each delta."""

    term: int = 0
    number: int = 0
    places: Mapping[str, Place] = field(default_factory=dict)

    def fits(self, delta: Delta) -> bool:
        """Whether nothing is missing between this one and the delta's end."""
        return delta.start == 0 or (delta.term == self.term and delta.start == self.number)

    def after(self, delta: Delta) -> Self:
        """With a delta that fits."""
        places = {} if delta.start == 0 else dict(self.places)
        for room in delta.gone:
            places.pop(room, None)
        return type(self)(delta.term, delta.end, places | dict(delta.set))

    def whole(self) -> dict[str, Any]:
        """The document that makes it from nothing."""
        set_ = {room: place.to_dict() for room, place in self.places.items()}
        return {"term": self.term, "from": 0, "to": self.number, "set": set_, "gone": []}
