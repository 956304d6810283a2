"""Which rooms a canary runs: by their uid alone, so everybody who asks gets the same answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

WHOLE: Final = 10_000
"""Places of the ring on which rooms are."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of the rooms of one pool."""

    canary: str
    percent: int

    def takes(self, uid: str) -> bool:
        """Whether the room of this uid is the canary's. A greater share has all of a lesser one."""
        return place(uid) < self.percent * WHOLE // 100


Shares = Mapping[str, Share]
"""By the pool whose rooms are shared."""
NOT_SHARED: Final[Shares] = {}


def place(uid: str) -> int:
    """On the ring, 0 to ``WHOLE`` - 1."""
    return int.from_bytes(sha256(uid.encode()).digest()[:8], "big") % WHOLE


def pool_for(asked: str, uid: str, shares: Shares) -> str:
    """The pool that runs a room which asks for ``asked``. Who asks for another pool than one that
    is shared, a canary itself among them, gets what it asks for."""
    share = shares.get(asked)
    return share.canary if share is not None and share.takes(uid) else asked


def changed(before: Shares, after: Shares) -> frozenset[str]:
    """Pools whose rooms may be run by another one than before."""
    names: Iterable[str] = {*before, *after}
    return frozenset(name for name in names if before.get(name) != after.get(name))
