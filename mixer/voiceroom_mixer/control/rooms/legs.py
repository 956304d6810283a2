"""Making, changing and dropping legs: every change is a new value in the leg's shared row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from voiceroom_mixer.control.rooms.admission import pod_full
from voiceroom_mixer.control.rooms.context import ControlClock, Entropy
from voiceroom_mixer.control.rooms.registry import Leg, Registry, Room
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import Kind, LegState, Role

LEG_ID_BYTES: Final = 12
HEARS_MAX: Final = 64


class LegBook:
    """The writer of leg rows."""

    def __init__(self, registry: Registry, clock: ControlClock, entropy: Entropy) -> None:
        self._registry = registry
        self._clock = clock
        self._entropy = entropy

    def create(
        self,
        room: Room,
        claims: Claims,
        *,
        kind: Kind,
        identity: str,
        role: Role,
        inherits: LegState | None,
        **transport: Any,
    ) -> Leg:
        """A new leg with its row published. ``transport``: further fields of ``LegState``.

        Raises ``ApiError`` 503 ``pod_full``, 422 ``too_large``.
        """
        lease = room.link.lease_leg()
        if lease is None:
            raise pod_full()
        leg_id = self._entropy(LEG_ID_BYTES).hex()
        state = LegState(
            leg=leg_id,
            room=room.name,
            room_slot=room.state.slot,
            slot=lease[0],
            generation=lease[1],
            kind=kind,
            identity=identity,
            role=role,
            participant=inherits.participant if inherits else leg_id,
            ssrc=self._ssrc(),
            rtp_epoch=int.from_bytes(self._entropy(4), "big"),
            jti=claims.jti,
            expires_s=claims.exp_s,
            joined_ms=self._clock.wall_ms(),
            **transport,
        )
        return self._publish(room, _inheriting(state, inherits))

    def _publish(self, room: Room, state: LegState) -> Leg:
        try:
            room.link.write_leg(state)
        except ValueError as error:
            room.link.leg_slots.release(state.slot)
            raise ApiError(422, "too_large", "the token's sub or the offer is too long") from error
        leg = Leg(state, room, room.link)
        self._registry.add(leg)
        if state.replaces:
            self._carry_gains(leg)
        return leg

    def _ssrc(self) -> int:
        """Random and unique among ours (RFC 3550 §8.1)."""
        taken = self._registry.ssrcs()
        while (ssrc := int.from_bytes(self._entropy(4), "big")) in taken or ssrc == 0:
            continue
        return ssrc

    def _carry_gains(self, leg: Leg) -> None:
        """Who had set a gain for the replaced leg has it for the new one."""
        for other in list(leg.room.legs.values()):
            gain = other.state.hears.get(leg.state.replaces)
            if gain is not None:
                self.update(other, hears=self.known(leg.room, other.state.hears) | {leg.id: gain})

    def known(self, room: Room, hears: dict[str, Any]) -> dict[str, Any]:
        """``hears`` without those who have gone for good."""
        now_ns = self._clock.now_ns()
        return {
            other: gain
            for other, gain in hears.items()
            if other in room.legs or self._registry.ghost(other, now_ns) is not None
        }

    def update(self, leg: Leg, **changes: Any) -> None:
        """Publish a changed state; fields of ``LegState`` by name."""
        state = replace(leg.state, **changes)
        leg.link.write_leg(state)
        leg.state = state

    def drop(self, leg: Leg) -> None:
        """Take the leg out of its row; media says BYE and lets go."""
        self._registry.discard(leg)
        leg.link.clear_leg(leg.state)


def _inheriting(state: LegState, old: LegState | None) -> LegState:
    if old is None:
        return state
    return replace(
        state,
        replaces=old.leg,
        muted=old.muted,
        gain_db=old.gain_db,
        hears=dict(old.hears),
    )
