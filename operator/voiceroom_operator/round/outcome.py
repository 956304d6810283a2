"""What became of a round's calls."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from voiceroom_operator.cluster.api import ApiError

T = TypeVar("T")
SOON_S: Final = 0.2
"""When to look again after old news was acted on."""

_log = logging.getLogger(__name__)


class RoundFailed(Exception):
    """Some calls failed: the round is to be made again, not before ``after_s`` seconds."""

    def __init__(self, failures: int, after_s: float, writes: int = 0) -> None:
        super().__init__(f"{failures} calls failed")
        self.after_s = after_s
        self.writes = writes
        """How many others were made, so that less is left to do."""


@dataclass(slots=True)
class Outcome:
    """Of one round. A call that fails does not keep the others from being made."""

    failures: int = 0
    """Calls that a later round has to make again."""
    writes: int = 0
    """Calls that changed something, and need not be made again."""
    again_s: list[float] = field(default_factory=list)
    """Look again after so many seconds, the least of them."""
    not_before_s: float = 0.0
    """What the API server has asked for (Retry-After), the most of it."""

    async def done(self, what: str, call: Awaitable[None]) -> bool:
        """Whether the call succeeded."""

        async def as_word() -> bool:
            await call
            return True

        return await self.written(what, as_word())

    async def written(self, what: str, call: Awaitable[bool]) -> bool:
        """Whether the call succeeded, and says so itself."""
        made = bool(await self.tried(what, call))
        self.writes += made
        return made

    async def tried(self, what: str, call: Awaitable[T]) -> T | None:
        """The call's result; None when it failed, which is noted."""
        try:
            return await call
        except ApiError as error:
            if error.is_stale or error.is_missing or error.exists:
                self.again_s.append(SOON_S)
                _log.debug("old news", extra={"what": what, "error": str(error)})
                return None
            self.failures += 1
            _log.warning("a call failed", extra={"what": what, "error": str(error)})
            self.not_before_s = max(self.not_before_s, error.retry_after_s or 0.0)
            if error.status == 0:
                # nobody is there: the other calls would each wait in vain
                raise RoundFailed(self.failures, self.not_before_s, self.writes) from error
            return None

    def soonest_s(self) -> float | None:
        """When to look again; None = only when something happens."""
        return min(self.again_s, default=None)
