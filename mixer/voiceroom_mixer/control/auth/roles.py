"""The role table (contract §3) as data."""

from __future__ import annotations

from typing import Final, Literal, get_args

from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import Role

Action = Literal[
    "page",
    "read_room",
    "events",
    "whep",
    "whip",
    "patch_leg",
    "delete_leg",
    "patch_room",
    "add_rtp_leg",
    "kick_all",
    "list_rooms",
    "debug",
    "admin",
]
Reach = Literal["no", "own_leg", "own_room", "all"]
"""How far a role may act: not at all, on its own leg, on anything of its room, everywhere."""

_OBSERVE: Final[dict[Role, Reach]] = {
    "listener": "own_room",
    "speaker": "own_room",
    "moderator": "own_room",
    "admin": "all",
}
_OWN: Final[dict[Role, Reach]] = {
    "listener": "own_leg",
    "speaker": "own_leg",
    "moderator": "own_room",
    "admin": "all",
}
_MODERATE: Final[dict[Role, Reach]] = {
    "listener": "no",
    "speaker": "no",
    "moderator": "own_room",
    "admin": "all",
}
_OPERATE: Final[dict[Role, Reach]] = {
    "listener": "no",
    "speaker": "no",
    "moderator": "no",
    "admin": "all",
}

TABLE: Final[dict[Action, dict[Role, Reach]]] = {
    "page": _OBSERVE,
    "read_room": _OBSERVE,
    "events": _OBSERVE,
    "whep": _OBSERVE,
    "whip": _OBSERVE,  # a listener's leg is answered as one that only receives
    "patch_leg": _OWN,
    "delete_leg": _OWN,
    "patch_room": _MODERATE,
    "add_rtp_leg": _MODERATE,
    "kick_all": _MODERATE,
    "list_rooms": _OPERATE,
    "debug": _OPERATE,
    "admin": _OPERATE,
}

OWN_LEG_FIELDS: Final = frozenset({"muted", "hears"})
"""What people may PATCH on their own leg; ``gainDb`` there takes a moderator."""


def reach(claims: Claims, action: Action) -> Reach:
    """How far the token's role may do ``action``."""
    return TABLE[action][claims.role]


def require(claims: Claims, action: Action, room: str | None, own_leg: bool = False) -> None:
    """Let the action pass, or raise ``ApiError`` 403 ``forbidden``.

    ``room`` is None for what belongs to no room; ``own_leg`` says that the leg acted on was made
    with this token.
    """
    may = reach(claims, action)
    if may == "all":
        return
    if may == "no":
        raise _forbidden(f"a {claims.role} may not do this: it takes {_takes(action)}")
    if claims.room != room:
        raise _forbidden(f"the token is for room {claims.room}, not for this one")
    if may == "own_leg" and not own_leg:
        raise _forbidden(f"a {claims.role} may do this to the own leg only")


def _takes(action: Action) -> str:
    able = [role for role in get_args(Role) if TABLE[action][role] != "no"]
    return "role " + " or ".join(able)


def _forbidden(message: str) -> ApiError:
    return ApiError(403, "forbidden", message)
