"""The operator's tokens for mixers: fresh by the clock that mixers have, however it is stepped."""

import asyncio
from collections.abc import Mapping
from email.utils import formatdate

import jwt

from voiceroom_operator.admin.access import TOKEN_LIFE_S, Access, access
from voiceroom_operator.admin.client import HttpAdmin
from voiceroom_operator.keys.material import wanted

NAME = "mixer.gold.voice"
UNIX_S = 1_800_000_000.0


class Clock:
    """A machine that was asleep: its wall clock is right again, slewed time is not yet."""

    def __init__(self) -> None:
        self.wall = UNIX_S
        self.slewed = UNIX_S

    def monotonic_s(self) -> float:
        return 100.0

    def unix_s(self) -> float:
        return self.slewed

    def wall_s(self) -> float:
        return self.wall

    def cpu_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def reached() -> Access:
    return access(wanted({}, {}, NAME, UNIX_S).pool, NAME)


def claims(headers: Mapping[str, str]) -> dict[str, object]:
    scheme, _, token = headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    found: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return found


def test_a_token_is_used_for_half_of_its_life() -> None:
    clock, to = Clock(), reached()
    admin = HttpAdmin(clock)
    first = admin._headers(to)
    clock.wall += TOKEN_LIFE_S / 2 - 1
    assert admin._headers(to) == first
    clock.wall += 2
    again = claims(admin._headers(to))
    assert again["exp"] == int(clock.wall + TOKEN_LIFE_S)
    assert (again["role"], again["aud"]) == ("admin", "voiceroom")


def test_a_clock_that_jumps_makes_a_new_token_by_the_new_time() -> None:
    clock, to = Clock(), reached()
    admin = HttpAdmin(clock)
    for step_s in (7200.0, -14_400.0):
        admin._headers(to)
        clock.wall += step_s
        assert claims(admin._headers(to))["exp"] == int(clock.wall + TOKEN_LIFE_S)


def test_where_the_clock_is_wrong_tokens_are_made_by_that_of_mixers() -> None:
    clock, to = Clock(), reached()
    admin = HttpAdmin(clock)
    theirs = clock.wall
    clock.wall -= 3600
    admin._headers(to)
    admin.learn(formatdate(theirs, usegmt=True))
    assert claims(admin._headers(to))["exp"] == int(theirs + TOKEN_LIFE_S)
    admin.learn("no date")
    assert claims(admin._headers(to))["exp"] == int(theirs + TOKEN_LIFE_S)
    clock.wall = theirs
    admin.learn(formatdate(theirs, usegmt=True))
    assert claims(admin._headers(to))["exp"] == int(theirs + TOKEN_LIFE_S)


def test_two_pools_have_tokens_of_their_own() -> None:
    admin = HttpAdmin(Clock())
    assert admin._headers(reached()) != admin._headers(reached())
