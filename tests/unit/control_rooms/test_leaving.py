"""Leaving, kicks, refused tokens, rooms that close, and the end of the process."""

from __future__ import annotations

import asyncio

import pytest

from fakes.building import MODERATOR, building, claims, older, run
from voiceroom_mixer.control.rooms.revoked import RevokedTokens
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.messages import Kind, Message


def test_leaving_frees_the_row_and_tells_everybody() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join()
            await house.rooms.remove_leg("lobby", joined.leg, claims())
            assert house.media.legs() == []
            assert house.kinds() == ["joined", "left"]
            assert not house.rooms.is_revoked("jti-ann")
            with pytest.raises(ApiError) as caught:
                await house.rooms.remove_leg("lobby", joined.leg, claims())
            assert caught.value.status == 404

    run(scenario)


def test_a_kick_refuses_the_token_until_it_has_expired() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(older(claims("ann"), 3000))
            await house.rooms.remove_leg("lobby", joined.leg, MODERATOR)
            assert house.kinds() == ["joined", "kicked", "left"]
            assert house.events[-1][2]["reason"] == "kicked"
            assert house.rooms.is_revoked("jti-ann")
            assert not house.rooms.is_revoked("jti-mod")
            house.clocks.now -= house.clocks.now  # wall time: the token has 600 s to go
            house.pass_time(600 + 59)
            assert house.rooms.is_revoked("jti-ann"), "within the leeway it would still join"
            house.pass_time(2)
            assert not house.rooms.is_revoked("jti-ann")

    run(scenario)


def test_speakers_kick_nobody() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(claims("ann"))
            for who in (claims("bob"), claims("eve", "listener"), claims("m", "moderator", "den")):
                with pytest.raises(ApiError) as caught:
                    await house.rooms.remove_leg("lobby", joined.leg, who)
                assert caught.value.status == 403
            assert house.people() == ["ann"]

    run(scenario)


def test_kick_all_spares_the_kickers_token_and_gateways() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("ann"))
            await house.join(MODERATOR)
            await house.gateway()
            assert await house.rooms.remove_all("lobby", MODERATOR) == 3
            assert house.people() == []
            assert house.rooms.is_revoked("jti-ann")
            assert not house.rooms.is_revoked("jti-mod")

    run(scenario)


@pytest.mark.parametrize(
    ("reason", "word"),
    [(layout.END_TIMEOUT, "timeout"), (layout.END_UNREACHABLE, "unreachable")],
)
@pytest.mark.parametrize("tell", [True, False])
def test_what_media_ends_is_taken_out(reason: int, word: str, tell: bool) -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway()
            house.media.end(made["id"], reason, tell=tell)
            await house.hear_media()
            house.pass_time(1)
            assert house.people() == []
            assert house.events[-1][2]["reason"] == word
            assert house.kinds().count("left") == 1

    run(scenario)


def test_a_word_about_the_leg_before_in_that_slot_changes_nothing() -> None:
    async def scenario() -> None:
        async with building() as house:
            first = await house.gateway(port=6000)
            gone = house.media.leg(first["id"])
            await house.rooms.remove_leg("lobby", first["id"], MODERATOR)
            house.media.look()
            second = await house.gateway(port=6001)
            assert house.media.leg(second["id"]).slot == gone.slot
            house.media.say(Kind.ENDED, gone, b"\x01")
            await house.hear_media()
            assert len(house.people()) == 1
            assert house.rooms.counters()["stale_messages"] == 1

    run(scenario)


def test_goodbye_closes_rooms_and_waits_for_medias_bye() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join()
            ending = asyncio.create_task(house.rooms.say_goodbye())
            await house.hear_media()
            assert not ending.done()
            assert Message(Kind.BYE_ALL, 0, 0) in house.media.read()
            house.media.say_raw(Message(Kind.BYE_DONE, 0, 0).to_bytes())
            assert await ending
            assert house.kinds()[-1] == "closed"

    run(scenario)


def test_goodbye_does_not_wait_for_ever() -> None:
    async def scenario() -> None:
        async with building() as house:
            assert not await house.rooms.say_goodbye(timeout_s=0)

    run(scenario)


def test_the_table_of_refused_tokens_is_bounded_and_outlives_control() -> None:
    async def scenario() -> None:
        async with building() as house:
            table = house.media.link().segment.tables["revoked"]
            revoked = RevokedTokens(table)
            for n in range(table.rows + 1):
                revoked.add(f"jti-{n}" * 50, expires_s=1000 + n)
            assert len(revoked) == table.rows
            assert revoked.evicted == 1
            assert "jti-0" * 50 not in revoked, "the first to expire makes room"
            again = RevokedTokens(table)
            assert len(again) == table.rows
            again.purge(1001 + 61)
            assert len(again) == table.rows - 1
            again.add("", 5000)
            assert "" not in again

    run(scenario)
