"""Who may come in: drain, lock, room and pod limits, and what a returning leg may pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voiceroom_mixer.control.export.defences import refuses
from voiceroom_mixer.control.rooms.registry import Registry, Room
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import LegState

RETRY_AFTER_S: Final = 10


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave to come in."""

    inherits: LegState | None
    """The leg that this one replaces: still there, or gone at most 60 s ago."""


def admit(
    registry: Registry,
    room: Room,
    claims: Claims,
    replaces: str | None,
    *,
    limit: int,
    now_ns: int,
) -> Admission:
    """Raises ``ApiError``: 503 ``draining``, ``room_full``, ``pod_full``; 403 ``locked``,
    ``not_yours``. ``limit`` is the pod's, in participants."""
    if registry.draining:
        raise _later("draining", "this mixer is about to end: join again in a moment")
    inherits = _predecessor(registry, room, claims, replaces, now_ns)
    if inherits is not None:
        return Admission(inherits)
    if room.state.locked:
        raise ApiError(403, "locked", "the room is locked: a moderator has to open it first")
    if room.participants() >= room.state.max_participants:
        raise _later("room_full", f"the room is full ({room.state.max_participants} people)")
    if registry.participants() >= limit:
        raise _later("pod_full", f"this mixer is full ({limit} people)")
    if refuses(room.link.segment):
        raise _later("pod_full", "this mixer cannot keep time and takes nobody in: try again soon")
    return Admission(None)


def _predecessor(
    registry: Registry, room: Room, claims: Claims, replaces: str | None, now_ns: int
) -> LegState | None:
    """The leg to replace; None when none is named or it is forgotten (then it is a fresh join)."""
    if not replaces:
        return None
    present = room.legs.get(replaces)
    state = present.state if present else registry.ghost(replaces, now_ns)
    if state is None or state.room != room.name:
        return None
    if state.kind != "webrtc" or state.identity != claims.sub:
        raise ApiError(403, "not_yours", "a leg is replaced only with a token of the same sub")
    return state


def pod_full() -> ApiError:
    """503: no slot is left in the shared memory."""
    return _later("pod_full", "this mixer is full")


def _later(code: str, message: str) -> ApiError:
    return ApiError(503, code, message, headers={"Retry-After": str(RETRY_AFTER_S)})
