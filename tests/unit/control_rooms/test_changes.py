"""PATCH of legs and rooms: values, ranges, roles, events."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.building import MODERATOR, Building, building, claims, run
from voiceroom_mixer.control.service import ApiError, Claims


async def refused(house: Building, leg: str, who: Claims, body: Any) -> ApiError:
    before = house.media.leg(leg)
    with pytest.raises(ApiError) as caught:
        await house.rooms.patch_leg("lobby", leg, who, body)
    assert house.media.leg(leg) == before, "all or nothing"
    return caught.value


def test_people_mute_themselves_and_set_whom_they_hear() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann, bob = await house.join(claims("ann")), await house.join(claims("bob"))
            patch = house.rooms.patch_leg
            shown = await patch("lobby", ann.leg, claims("ann"), {"muted": True})
            assert shown["muted"] is True
            assert house.events[-1][1:] == ("muted", {"id": ann.leg, "muted": True})
            await patch("lobby", ann.leg, claims("ann"), {"hears": {bob.leg: "mute"}})
            assert house.media.leg(ann.leg).hears == {bob.leg: "mute"}
            await patch("lobby", ann.leg, claims("ann"), {"hears": {bob.leg: -12.5}})
            assert house.media.leg(ann.leg).hears == {bob.leg: -12.5}
            await patch("lobby", ann.leg, claims("ann"), {"hears": {bob.leg: None}})
            assert house.media.leg(ann.leg).hears == {}

    run(scenario)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"gainDb": 21}, "gainDb"),
        ({"gainDb": -60.5}, "gainDb"),
        ({"gainDb": float("nan")}, "gainDb"),
        ({"gainDb": "loud"}, "gainDb"),
        ({"gainDb": True}, "gainDb"),
        ({"muted": 1}, "muted"),
        ({"muted": None}, "muted"),
        ({"hears": []}, "hears"),
        ({"hears": {"nobody": 0}}, "hears.nobody"),
        ({"hears": {"x" * 500: 0}}, "hears." + "x" * 64),
        ({"hears": {str(n): None for n in range(65)}}, "hears"),
        ({"loud": 1}, "loud"),
        ({"muted": True, "gainDb": 99}, "gainDb"),
    ],
)
def test_bad_values_name_the_field(body: dict[str, Any], field: str) -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join(claims("ann"))
            error = await refused(house, ann.leg, MODERATOR, body)
            assert (error.status, error.field) == (422, field)

    run(scenario)


def test_gains_of_others_name_the_entry() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann, bob = await house.join(claims("ann")), await house.join(claims("bob"))
            wrong: list[Any] = [20.1, -61, "quiet", [], True]
            for gain in wrong:
                error = await refused(house, ann.leg, MODERATOR, {"hears": {bob.leg: gain}})
                assert error.field == f"hears.{bob.leg}"
                assert "mute" in error.message
            error = await refused(house, ann.leg, MODERATOR, {"hears": {ann.leg: 0}})
            assert error.field == f"hears.{ann.leg}"
            assert (await refused(house, ann.leg, MODERATOR, {})).code == "empty_body"

    run(scenario)


def test_at_most_64_gains_and_those_of_the_gone_make_room() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join(claims("ann"))
            house.key(ann.leg)
            for n in range(100):
                other = await house.gateway(port=6000 + n)
                body = {"hears": {other["id"]: -6}}
                await house.rooms.patch_leg("lobby", ann.leg, claims("ann"), body)
                await house.rooms.remove_leg("lobby", other["id"], MODERATOR)
                house.media.look()
                house.pass_time(2)
            assert len(house.media.leg(ann.leg).hears) <= 31, "one minute of those who may return"

    run(scenario)


def test_who_may_change_what() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join(claims("ann"))
            for who, body in (
                (claims("bob"), {"muted": True}),
                (claims("ann"), {"gainDb": 3}),
                (claims("ann"), {"muted": True, "gainDb": 3}),
                (claims("mod", "moderator", "den"), {"muted": True}),
            ):
                assert (await refused(house, ann.leg, who, body)).status == 403
            patch = house.rooms.patch_leg
            shown = await patch("lobby", ann.leg, MODERATOR, {"muted": True, "gainDb": 3})
            assert (shown["muted"], shown["gainDb"]) == (True, 3.0)
            await patch("lobby", ann.leg, claims("root", "admin", "*"), {"muted": False})

    run(scenario)


def test_mute_all_mutes_speakers_and_not_moderators() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("ann"))
            await house.join(MODERATOR)
            shown = await house.rooms.patch_room("lobby", MODERATOR, {"muteAll": True})
            assert shown["muteAll"] is True
            assert house.media.rooms()[0].mute_all
            people = house.rooms.room_json("lobby")["participants"]
            assert [(p["identity"], p["muted"]) for p in people] == [("ann", True), ("mod", False)]
            assert house.events[-1][1:] == ("muted", {"all": True, "muted": True})
            await house.rooms.patch_room("lobby", MODERATOR, {"muteAll": False, "locked": True})
            assert not house.media.rooms()[0].mute_all
            assert house.kinds()[-2:] == ["muted", "locked"]
            assert house.rooms.rooms_json()[0]["locked"] is True

    run(scenario)


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        (claims("ann"), {"locked": True}, 403),
        (claims("m", "moderator", "den"), {"locked": True}, 403),
        (MODERATOR, {"locked": "yes"}, 422),
        (MODERATOR, {"lock": True}, 422),
        (MODERATOR, {}, 422),
    ],
)
def test_room_patches_that_are_refused(who: Claims, body: dict[str, Any], status: int) -> None:
    async def scenario() -> None:
        async with building() as house:
            with pytest.raises(ApiError) as caught:
                await house.rooms.patch_room("lobby", who, body)
            assert caught.value.status == status
            assert not house.media.rooms()[0].locked

    run(scenario)
