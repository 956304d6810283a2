"""What a round finds on account of drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voiceroom_operator.remediation.case import Remedies
from voiceroom_operator.round.seen import Seen


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one round."""

    seen: Seen
    remedies: Mapping[str, Remedies] = field(default_factory=dict)
    """By pool."""

    def avoid(self, pool: str) -> tuple[str, ...]:
        """Nodes on which no pod of the pool is made."""
        found = self.remedies.get(pool, Remedies())
        quarantined = {n.name for n in (self.seen.nodes or {}).values() if n.quarantined}
        return tuple(sorted(found.avoid | quarantined))
