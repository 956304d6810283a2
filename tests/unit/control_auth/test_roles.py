from typing import get_args

import pytest

from voiceroom_mixer.control.auth.roles import TABLE, Action, require
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import Role


def may(role: Role, action: Action, room: str | None = "lobby", *, own_leg: bool = False) -> bool:
    try:
        require(Claims("Ana", "lobby", role, 0, "t"), action, room, own_leg)
    except ApiError as error:
        return (error.status, error.code) != (403, "forbidden")
    return True


def allowed(action: Action, room: str | None = "lobby", *, own_leg: bool = False) -> str:
    """Initials of the roles that may."""
    return "".join(r[0] for r in get_args(Role) if may(r, action, room, own_leg=own_leg))


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(get_args(Action))
    assert all(set(row) == set(get_args(Role)) for row in TABLE.values())


@pytest.mark.parametrize("action", ["page", "read_room", "events", "whep", "whip"])
def test_everybody_in_the_own_room_and_admins_in_all(action: Action) -> None:
    assert allowed(action) == "lsma"
    assert allowed(action, "attic") == "a"


@pytest.mark.parametrize("action", ["patch_leg", "delete_leg"])
def test_the_own_leg_and_others_legs(action: Action) -> None:
    assert allowed(action, own_leg=True) == "lsma"
    assert allowed(action, own_leg=False) == "ma"
    assert allowed(action, "attic", own_leg=False) == "a"


@pytest.mark.parametrize("action", ["patch_room", "add_rtp_leg", "kick_all"])
def test_moderators_in_their_room(action: Action) -> None:
    assert allowed(action) == "ma"
    assert allowed(action, "attic") == "a"


@pytest.mark.parametrize("action", ["list_rooms", "debug", "admin"])
def test_admins_only(action: Action) -> None:
    assert allowed(action, None) == "a"
    assert allowed(action) == "a"


def test_the_refusal_says_what_it_takes() -> None:
    with pytest.raises(ApiError, match="it takes role moderator or admin"):
        require(Claims("Ana", "lobby", "speaker", 0, "t"), "kick_all", "lobby")
    with pytest.raises(ApiError, match="for room lobby, not for this one"):
        require(Claims("Ana", "lobby", "speaker", 0, "t"), "whip", "attic")
    with pytest.raises(ApiError, match="own leg only"):
        require(Claims("Ana", "lobby", "speaker", 0, "t"), "delete_leg", "lobby")
