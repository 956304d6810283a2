"""The routes for people (contract §4)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from voiceroom_mixer.control.http import events, rooms, signalling

_ROOM: Final = "/rooms/{room}"


def routes() -> list[web.RouteDef]:
    """Page, WHIP, WHEP, legs, rooms, events."""
    return [
        web.get("/rooms", rooms.list_rooms),
        web.get(_ROOM, rooms.room),
        web.patch(_ROOM, rooms.patch_room),
        web.post(_ROOM + "/token", rooms.token),
        web.get(_ROOM + "/events", events.stream, allow_head=False),
        web.post(_ROOM + "/legs", rooms.add_rtp_leg),
        web.delete(_ROOM + "/legs", rooms.remove_all),
        web.patch(_ROOM + "/legs/{leg}", rooms.patch_leg),
        web.delete(_ROOM + "/legs/{leg}", rooms.remove_leg),
        web.get("/assets/{name:.+}", rooms.asset),
        *_joining("whip"),
        *_joining("whep"),
    ]


def _joining(mode: str) -> list[web.RouteDef]:
    handler = signalling.whip if mode == "whip" else signalling.whep
    return [
        web.post(f"{_ROOM}/{mode}", handler),
        web.options(f"{_ROOM}/{mode}", signalling.options),
        web.patch(f"{_ROOM}/{mode}/{{leg}}", signalling.patch),
        web.delete(f"{_ROOM}/{mode}/{{leg}}", signalling.leave),
        web.options(f"{_ROOM}/{mode}/{{leg}}", signalling.options),
    ]
