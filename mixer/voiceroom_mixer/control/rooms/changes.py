"""PATCH of legs and rooms: check the body whole, then change, publish and tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voiceroom_mixer.control.auth import roles
from voiceroom_mixer.control.rooms import fields, views
from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.legs import HEARS_MAX
from voiceroom_mixer.control.rooms.registry import Leg, Room
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import MUTE

GAIN_MIN_DB: Final = -60.0
GAIN_MAX_DB: Final = 20.0
LEG_FIELDS: Final = frozenset({"muted", "gainDb", "hears"})
ROOM_FIELDS: Final = frozenset({"muteAll", "locked"})


class Changes:
    """Changes that people ask for."""

    def __init__(self, house: House) -> None:
        self._registry = house.registry
        self._book = house.book
        self._publish = house.publish

    def patch_leg(self, leg: Leg, claims: Claims, body: Mapping[str, Any]) -> dict[str, Any]:
        """The participant afterwards. Raises ``ApiError`` 403, 422; then nothing has changed."""
        fields.only(body, LEG_FIELDS)
        _allowed(leg, claims, body)
        changes: dict[str, Any] = {}
        muted = fields.boolean(body, "muted")
        if muted is not None:
            changes["muted"] = muted
        if "gainDb" in body:
            changes["gain_db"] = fields.number(body["gainDb"], "gainDb", GAIN_MIN_DB, GAIN_MAX_DB)
        if "hears" in body:
            changes["hears"] = self._hears(leg, body["hears"])
        self._book.update(leg, **changes)
        if muted is not None:
            self._publish(leg.room.name, "muted", {"id": leg.id, "muted": views.is_muted(leg)})
        return views.participant(leg)

    def _hears(self, leg: Leg, wanted: object) -> dict[str, Any]:
        """The leg's ``hears`` with the wanted ones merged in; null takes one out."""
        if not isinstance(wanted, Mapping):
            raise fields.invalid("hears", 'must be an object: {leg id: gain in dB, "mute" or null}')
        if len(wanted) > HEARS_MAX:
            raise fields.invalid("hears", f"takes at most {HEARS_MAX} entries")
        merged = self._book.known(leg.room, dict(leg.state.hears))
        for other, gain in wanted.items():
            field = f"hears.{other[:64]}"
            if gain is None:
                merged.pop(other, None)
            elif other not in leg.room.legs or other == leg.id:
                raise fields.invalid(field, "is not another leg of this room")
            else:
                merged[other] = gain if gain == MUTE else _gain(gain, field)
        if len(merged) > HEARS_MAX:
            raise fields.invalid("hears", f"holds at most {HEARS_MAX} entries; reset some by null")
        return merged

    def patch_room(self, room: Room, body: Mapping[str, Any]) -> dict[str, Any]:
        """The room's summary afterwards. Raises ``ApiError`` 422; then nothing has changed."""
        fields.only(body, ROOM_FIELDS)
        mute_all, locked = fields.boolean(body, "muteAll"), fields.boolean(body, "locked")
        self._registry.change_room(room, mute_all=mute_all, locked=locked)
        if mute_all is not None:
            self._publish(room.name, "muted", {"all": True, "muted": mute_all})
        if locked is not None:
            self._publish(room.name, "locked", {"locked": locked})
        return views.summary(room)


def _gain(value: object, field: str) -> float:
    try:
        return fields.number(value, field, GAIN_MIN_DB, GAIN_MAX_DB)
    except ApiError as error:
        raise fields.invalid(field, f'{error.message.partition(": ")[2]}, "mute" or null') from None


def _allowed(leg: Leg, claims: Claims, body: Mapping[str, Any]) -> None:
    roles.require(claims, "patch_leg", leg.room.name, own_leg=leg.made_by(claims))
    if roles.reach(claims, "patch_leg") == "own_leg" and not set(body) <= roles.OWN_LEG_FIELDS:
        raise ApiError(403, "forbidden", "gainDb takes role moderator or admin", field="gainDb")
