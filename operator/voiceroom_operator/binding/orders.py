"""What the binding planner is told from outside: who ought to be elsewhere, and where not to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voiceroom_operator.remediation.case import Remedies


@dataclass(frozen=True, slots=True)
class Orders:
    """Of a namespace."""

    drift: Mapping[str, str] = field(default_factory=dict)
    """Rooms that leave their pods on account of drift, and the cause."""
    unfit: frozenset[str] = frozenset()
    """Pods that those rooms do not go to: they have not kept time for long enough."""
    bad: frozenset[str] = frozenset()
    """Pods that any room takes last."""


NO_ORDERS = Orders()


def orders(remedies: Mapping[str, Remedies]) -> Orders:
    """Of all pools of a namespace."""
    each = tuple(remedies.values())
    return Orders(
        drift={room: cause for one in each for room, cause in one.leave.items()},
        unfit=frozenset[str]().union(*(one.unfit for one in each)),
        bad=frozenset[str]().union(*(one.bad for one in each)),
    )
