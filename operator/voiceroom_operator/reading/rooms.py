"""VoiceRooms and MixerPools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceroom_api import names
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_operator.canary.shares import NOT_SHARED, Shares, pool_for
from voiceroom_operator.observed import MoveSeen, RoomSeen
from voiceroom_operator.pool.naming import pool_of
from voiceroom_operator.reading.requests import answer_of, request_of
from voiceroom_operator.reading.scalars import condition, unix_s
from voiceroom_operator.remediation.drifted import drifted
from voiceroom_operator.wanted import PoolWanted, pool_wanted


def room_seen(
    body: Mapping[str, Any], spec: VoiceRoomSpec, legs: int, shares: Shares = NOT_SHARED
) -> RoomSeen:
    """``spec``: as it was read from ``body``; ``legs``: by the word of the pods; ``shares``: of
    canaries."""
    metadata, status = body["metadata"], body.get("status") or {}
    pod, move = status.get("podName", ""), move_seen(status)
    epoch = status.get("epoch", 0) if move is None else _last(status).get("fromEpoch", 0)
    pool = pool_for(spec.pool_name, metadata["uid"], shares)
    return RoomSeen(
        name=metadata["name"],
        uid=metadata["uid"],
        pool=pool,
        lent_by="" if pool == spec.pool_name else spec.pool_name,
        created_s=unix_s(metadata.get("creationTimestamp")) or 0.0,
        dedicated=spec.placement == "Dedicated",
        deleting="deletionTimestamp" in metadata,
        pod=pod,
        epoch=epoch,
        twin=status.get("twinPodName", ""),
        move=move,
        legs=legs,
        drift=drifted(status),
        request=request_of(body),
        answer=answer_of(status),
        saw_pool=_saw_pool(status, spec.pool_name, pod, epoch),
    )


def move_seen(status: Mapping[str, Any]) -> MoveSeen | None:
    """The move that is under way."""
    last = _last(status)
    if not last.get("to") or "switchedAt" in last or "endedAt" in last:
        return None
    return MoveSeen(
        to=last["to"],
        epoch=last.get("epoch", 0),
        id=last.get("id", ""),
        reason=last.get("reason", ""),
        started_s=unix_s(last.get("startedAt")) or 0.0,
    )


def _last(status: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (status.get("moves") or {}).get("last") or {}
    return found


def _saw_pool(status: Mapping[str, Any], pool: str, pod: str, epoch: int) -> bool:
    """It was bound in the pool, or told that it is gone: a pool that is deleted stays until its
    rooms have been told."""
    if condition(status, names.READY).get("reason") == names.POOL_NOT_FOUND:
        return True
    return epoch > 0 and pool_of(pod) in ("", pool)


def pool_seen(body: Mapping[str, Any], spec: MixerPoolSpec, revision: str) -> PoolWanted:
    """``spec``: as it was read from ``body``."""
    metadata = body["metadata"]
    return pool_wanted(
        metadata["name"],
        metadata["uid"],
        spec,
        revision,
        deleting="deletionTimestamp" in metadata,
        has_finalizer=names.POOL_FINALIZER in (metadata.get("finalizers") or ()),
    )
