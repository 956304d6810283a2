"""All that a plan for one canary is made from, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from voiceroom_operator.canary.gate import Gate
from voiceroom_operator.canary.record import Record
from voiceroom_operator.canary.series import Seen

Wish = Literal["", "Promote", "RollBack", "Retry"]


@dataclass(frozen=True, slots=True)
class Order:
    """What a person decides (annotation ``voiceroom.dev/canary``)."""

    id: str
    wish: Wish = ""
    why: str = ""
    problem: str = ""
    """What is wrong with it; empty = it can be read."""


@dataclass(frozen=True, slots=True)
class Target:
    """The pool whose rooms are shared."""

    alike: bool = False
    """Its spec has the canary's image and settings."""
    generation: int = 0
    rolled: bool = False
    """All its pods are as its spec has them, and enough are in service."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why it cannot be a canary now."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class CanaryCase:
    """One canary."""

    name: str
    of: str
    percent: int
    revision: str
    gate: Gate
    paused: str = ""
    """A person's reason; empty = decisions are made."""
    record: Record | None = None
    trouble: Trouble | None = None
    target: Target = field(default_factory=Target)
    serving: int = 0
    """Its pods of this revision that are in service."""
    restarts: int = 0
    """Of containers in them."""
    rooms: int = 0
    seen: Seen = field(default_factory=lambda: Seen(0.0))
    order: Order | None = None
    refusal: str = ""
    """What the API server said against the promotion."""


@dataclass(frozen=True, slots=True)
class Say:
    """An Event."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """The next step of one canary."""

    record: Record
    """What is to be on record; it is acted on from there, in the next round."""
    apply: bool = False
    """The other pool is to be given the image and settings: it is on record that it shall be."""
    says: tuple[Say, ...] = ()
    requeue_after_s: float | None = None
