"""A leg that comes back, or moves to another connection, is the same participant."""

from __future__ import annotations

import pytest

from fakes.building import MODERATOR, building, claims, room, run
from voiceroom_mixer.control.rooms.leaving import LEGS_EACH
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.messages import Kind


def test_the_new_leg_inherits_and_the_old_one_goes_when_it_is_heard() -> None:
    async def scenario() -> None:
        async with building() as house:
            bob = await house.join(claims("bob"))
            old = await house.join(claims("ann"))
            house.key(old.leg)
            await house.rooms.patch_leg("lobby", old.leg, MODERATOR, {"gainDb": -6, "muted": True})
            hears = {bob.leg: -20}
            await house.rooms.patch_leg("lobby", old.leg, claims("ann"), {"hears": hears})
            await house.rooms.patch_leg("lobby", bob.leg, claims("bob"), {"hears": {old.leg: 3}})
            new = await house.join(claims("ann"), replaces=old.leg)
            state = house.media.leg(new.leg)
            assert (state.gain_db, state.muted, state.hears) == (-6, True, {bob.leg: -20.0})
            assert state.participant == house.media.leg(old.leg).participant
            assert state.replaces == old.leg
            assert house.media.leg(bob.leg).hears[new.leg] == 3.0
            assert house.rooms.participant_counts() == {"lobby": 2}
            house.media.say(Kind.HEARD, state)
            await house.hear_media()
            assert {leg.leg for leg in house.media.legs()} == {bob.leg, new.leg}
            assert house.events[-1][1:] == (
                "left",
                {"id": old.leg, "identity": "ann", "reason": "replaced"},
            )

    run(scenario)


def test_a_lost_word_is_made_up_for_by_the_next_look() -> None:
    async def scenario() -> None:
        async with building() as house:
            old = await house.join()
            house.key(old.leg)
            new = await house.join(replaces=old.leg)
            house.pass_time(1)
            assert len(house.media.legs()) == 2
            house.media.set(new.leg, heard=1, phase=layout.PHASE_CONNECTED)
            house.pass_time(1)
            assert [leg.leg for leg in house.media.legs()] == [new.leg]

    run(scenario)


def test_a_new_listener_takes_over_when_it_is_connected() -> None:
    async def scenario() -> None:
        async with building() as house:
            eve = claims("eve", "listener")
            old = await house.join(eve)
            new = await house.join(eve, replaces=old.leg)
            house.media.set(new.leg, phase=layout.PHASE_CONNECTED)
            house.pass_time(1)
            assert [leg.leg for leg in house.media.legs()] == [new.leg]

    run(scenario)


def test_it_passes_lock_and_limit_while_there_and_for_a_minute_after() -> None:
    async def scenario() -> None:
        async with building(room("lobby", maxParticipants=1)) as house:
            first = await house.join()
            await house.rooms.patch_room("lobby", MODERATOR, {"locked": True})
            second = await house.join(replaces=first.leg)
            house.media.say(Kind.HEARD, house.media.leg(second.leg))
            await house.hear_media()
            house.media.end(second.leg, layout.END_TIMEOUT)
            await house.hear_media()
            assert house.people() == []
            house.pass_time(59)
            third = await house.join(replaces=second.leg)
            await house.rooms.remove_leg("lobby", third.leg, claims())
            house.pass_time(61)
            with pytest.raises(ApiError) as caught:
                await house.join(replaces=third.leg)
            assert caught.value.code == "locked"

    run(scenario)


def test_only_with_a_token_of_the_same_sub() -> None:
    async def scenario() -> None:
        async with building() as house:
            old = await house.join(claims("ann"))
            with pytest.raises(ApiError) as caught:
                await house.join(claims("eve"), replaces=old.leg)
            assert (caught.value.status, caught.value.code) == (403, "not_yours")
            assert house.people() == ["ann"]

    run(scenario)


def test_an_unknown_leg_to_replace_is_a_fresh_join() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(replaces="nobody")
            assert house.media.leg(joined.leg).replaces == ""

    run(scenario)


def test_who_was_kicked_does_not_come_back_this_way() -> None:
    async def scenario() -> None:
        async with building() as house:
            old = await house.join(claims("ann"))
            await house.rooms.remove_leg("lobby", old.leg, MODERATOR)
            await house.rooms.patch_room("lobby", MODERATOR, {"locked": True})
            with pytest.raises(ApiError) as caught:
                await house.join(claims("ann", jti="another"), replaces=old.leg)
            assert caught.value.code == "locked"

    run(scenario)


def test_attempts_that_came_to_nothing_make_way_for_the_next() -> None:
    async def scenario() -> None:
        async with building() as house:
            old = await house.join()
            house.key(old.leg)
            last = old
            for _ in range(20):
                last = await house.join(replaces=last.leg)
            assert [state.leg for state in house.media.legs()] == [old.leg, last.leg]
            house.media.say(Kind.HEARD, house.media.leg(last.leg))
            await house.hear_media()
            assert [state.leg for state in house.media.legs()] == [last.leg]

    run(scenario)


def test_connected_legs_of_one_person_are_bounded() -> None:
    async def scenario() -> None:
        async with building() as house:
            last = await house.join()
            for _ in range(20):
                house.key(last.leg)
                last = await house.join(replaces=last.leg)
            assert len(house.media.legs()) == LEGS_EACH
            assert house.rooms.participant_counts() == {"lobby": 1}

    run(scenario)


def test_a_kick_takes_both_legs_of_a_person() -> None:
    async def scenario() -> None:
        async with building() as house:
            old = await house.join(claims("ann", jti="old"))
            house.key(old.leg)
            new = await house.join(claims("ann", jti="new"), replaces=old.leg)
            await house.rooms.remove_leg("lobby", new.leg, MODERATOR)
            assert house.people() == []
            assert house.rooms.is_revoked("old")
            assert house.rooms.is_revoked("new")

    run(scenario)


def test_a_gateway_is_not_replaced_by_someone_of_its_name() -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway(identity="ann")
            with pytest.raises(ApiError) as caught:
                await house.join(claims("ann"), replaces=made["id"])
            assert caught.value.code == "not_yours"

    run(scenario)
