"""``spec.canary`` of a MixerPool: a pool that tries an image on a share of another pool's rooms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from voiceroom_api.duration import parse_duration
from voiceroom_api.rules import Number, Relation, Span, Text, Whole
from voiceroom_api.texts import DNS_LABEL

NOT_ITSELF: Final = "must name another pool: a pool cannot be its own canary"
NOT_ITSELF_CEL: Final = "!has(self.spec.canary) || self.spec.canary.of != self.metadata.name"
_OF: Final = Text(
    "must be the name of a MixerPool: a DNS label of at most 48 characters",
    high=48,
    pattern=DNS_LABEL.pattern,
)
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class LatenessGate:
    """How late ticks may be."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    window: Annotated[str, Span(10, 3600)] = "5m"
    max_us: Annotated[int, Whole(1, 100_000)] | None = None
    """None: the profile's (``thresholds.PROFILES``)."""
    min_ticks: Annotated[int, Whole(1, 1_000_000_000)] = 3000


@dataclass(frozen=True, slots=True)
class JitterGate:
    """How evenly packets of people have to arrive."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    window: Annotated[str, Span(10, _DAY_S)] = "1h"
    min_share: Annotated[float, Number(0, 1)] = 0.92
    min_samples: Annotated[int, Whole(1, 1_000_000_000)] = 600


@dataclass(frozen=True, slots=True)
class RecoveriesGate:
    """How faults of time have to end."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    window: Annotated[str, Span(10, 30 * _DAY_S)] = "168h"
    min_share: Annotated[float, Number(0, 1)] = 0.9
    min_faults: Annotated[int, Whole(0, 1_000_000)] = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "duration(self.lateness.window) <= duration(self.observe)",
            "observe must not be shorter than lateness.window",
            lambda self: parse_duration(self.lateness.window) <= parse_duration(self.observe),
        ),
    )
    lateness: LatenessGate = field(default_factory=LatenessGate)
    jitter: JitterGate = field(default_factory=JitterGate)
    recoveries: RecoveriesGate = field(default_factory=RecoveriesGate)
    observe: Annotated[str, Span(10, 30 * _DAY_S)] = "1h"
    deadline: Annotated[str, Span(10, _DAY_S)] = "10m"
    max_restarts: Annotated[int, Whole(0, 100)] = 2


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is decided."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    reason: Annotated[str, Text("must be 1 to 256 characters", high=256)]


@dataclass(frozen=True, slots=True)
class Canary:
    """Whose rooms it takes, how many of them, and what becomes of it."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    of: Annotated[str, _OF]
    percent: Annotated[int, Whole(0, 100)] = 10
    paused: Hold | None = None
    gate: Gate = field(default_factory=Gate)
