"""Objects that the API server does not take: what it said, and when to ask again."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

from voiceroom_operator.cluster.api import ApiError
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.round.outcome import Outcome
from voiceroom_operator.round.seen import PoolRecord
from voiceroom_operator.status.refusals import Refusal, refusal

FIRST_S: Final = 1.0
LAST_S: Final = 15.0
"""Whoever raises a quota waits so long at most."""


@dataclass(frozen=True, slots=True)
class _Kept:
    why: Refusal
    generation: int
    """Of the pool, which was refused as it was then."""
    wait_s: float
    due_s: float
    """Monotonic."""


class Refusals:
    """The last of each pool. A refusal is an answer, not a failure: it holds up nothing else."""

    def __init__(self, clock: Clock, what: str) -> None:
        """``what`` is refused, in words."""
        self._clock = clock
        self._what = what
        self._kept: dict[str, _Kept] = {}

    async def answered(
        self, pool: PoolRecord, what: str, call: Awaitable[None], outcome: Outcome
    ) -> bool:
        """Whether the call succeeded; a refusal is kept, and is asked for again later."""

        async def ask() -> bool:
            try:
                await call
            except ApiError as error:
                if not error.is_refusal:
                    raise
                outcome.again_s.append(self._note(pool, refusal(error.message, self._what)))
                return False
            self.drop(pool)
            return True

        return await outcome.written(what, ask())

    def of(self, pool: PoolRecord) -> Refusal | None:
        """What was said last."""
        kept = self._kept.get(pool.ref.uid)
        return kept.why if kept is not None else None

    def wait_s(self, pool: PoolRecord) -> float:
        """How long not to ask again; 0 once the pool has changed."""
        kept = self._kept.get(pool.ref.uid)
        if kept is None or kept.generation != pool.read.generation:
            return 0.0
        return max(0.0, kept.due_s - self._clock.monotonic_s())

    def _note(self, pool: PoolRecord, why: Refusal) -> float:
        """Refused again: how long to wait now, longer each time."""
        before = self._kept.get(pool.ref.uid)
        again = before is not None and before.generation == pool.read.generation
        wait_s = min(2 * before.wait_s, LAST_S) if before is not None and again else FIRST_S
        due_s = self._clock.monotonic_s() + wait_s
        self._kept[pool.ref.uid] = _Kept(why, pool.read.generation, wait_s, due_s)
        return wait_s

    def drop(self, pool: PoolRecord) -> None:
        """It was taken, or is not wanted any more."""
        self._kept.pop(pool.ref.uid, None)

    def keep(self, uids: set[str]) -> None:
        """Forget all others."""
        self._kept = {uid: kept for uid, kept in self._kept.items() if uid in uids}
