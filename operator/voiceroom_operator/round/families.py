"""Pools that belong together: one whose rooms are shared, and its canaries.

They use the Secrets of the one that is shared, so that its tokens are good in all of them and their
mixers hand rooms over to each other as those of one pool do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voiceroom_operator.canary import words
from voiceroom_operator.canary.case import Trouble
from voiceroom_operator.canary.record import record_of
from voiceroom_operator.canary.shares import Share, Shares
from voiceroom_operator.round.seen import PodRecord, PoolRecord, Seen

Pools = Mapping[str, PoolRecord]
"""Of one namespace, by name."""


def head_of(pools: Pools, name: str) -> str:
    """The pool whose Secrets ``name`` uses, itself or another one, which may be missing."""
    pool = pools.get(name)
    return (pool.wanted.canary_of if pool is not None else "") or name


def family(pools: Pools, name: str) -> tuple[str, ...]:
    """All pools with the same head, in the order of their names."""
    head = head_of(pools, name)
    return tuple(sorted(other for other in pools if head_of(pools, other) == head))


def pods_of_family(seen: Seen, name: str) -> Iterable[PodRecord]:
    """Their pods."""
    return (pod for pool in family(seen.pools, name) for pod in seen.pods_of(pool))


def trouble_of(pools: Pools, pool: PoolRecord) -> Trouble | None:
    """Why the canary cannot be one now."""
    of = pool.wanted.canary_of
    other = pools.get(of)
    if other is None or other.wanted.deleting:
        return words.not_found(of)
    if other.wanted.canary_of:
        return words.of_is_canary(of)
    rivals = (each for each in pools.values() if each.wanted.canary_of == of)
    first = min(rivals, key=_age)
    return None if first is pool else words.another(first.wanted.name, of)


def _age(pool: PoolRecord) -> tuple[str, str]:
    return str(pool.body["metadata"].get("creationTimestamp", "")), pool.wanted.name


def shares_of(pools: Pools) -> Shares:
    """What is on record of canaries, and holds still."""
    found: dict[str, Share] = {}
    for pool in pools.values():
        canary, record = pool.read.spec.canary, record_of(pool.body.get("status") or {})
        if canary is None or record is None or record.of != canary.of or pool.wanted.deleting:
            continue
        if record.shares() and trouble_of(pools, pool) is None:
            found[canary.of] = Share(pool.wanted.name, canary.percent)
    return found
