"""Rooms as the operator assigns them, while people are in."""

from __future__ import annotations

from typing import Any

from fakes.building import MODERATOR, SPEC, Building, building, claims, room, run
from voiceroom_mixer.config import Limits, RoomEntry


def entry(name: str = "lobby", uid: str = "", **spec: Any) -> RoomEntry:
    """A room of the operator's; without a uid it is the one that the building has."""
    made = room(name, **spec)
    made["uid"], made["epoch"] = uid, 1
    return made


def assign(house: Building, *rooms: RoomEntry, moved: tuple[str, ...] = (), **limits: int) -> None:
    wanted = Limits(**limits) if limits else Limits()
    house.rooms.assign(rooms, wanted, ("127.0.0.1",), lambda name: name in moved)
    house.media.look()


def audio(**fields: Any) -> dict[str, Any]:
    return {"audio": SPEC["audio"] | fields}


def test_rooms_come_and_go() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("ann"))
            assign(house, entry("hall", "u1"), entry("attic", "u2"))
            assert sorted(state.room for state in house.media.rooms()) == ["attic", "hall"]
            assert ("lobby", "closed", {}) in house.events
            assert house.rooms.leg_count() == 0
            assert not house.rooms.room_exists("lobby")
            assign(house)
            assert house.media.rooms() == []

    run(scenario)


def test_the_same_again_changes_nothing() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("ann"))
            assign(house, entry())
            before, told = house.media.rooms(), len(house.events)
            house.media.told.clear()
            assign(house, entry())
            assert house.media.rooms() == before
            assert (len(house.events), house.media.told) == (told, [])
            assert house.people() == ["ann"]

    run(scenario)


def test_a_room_that_was_made_anew_is_another_one() -> None:
    async def scenario() -> None:
        async with building() as house:
            assign(house, entry(uid="first"))
            await house.join(claims("ann"))
            assign(house, entry(uid="second"))
            assert house.people() == []
            assert ("lobby", "closed", {}) in house.events

    run(scenario)


def test_who_is_in_a_room_that_moved_may_come_back() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join(claims("ann"))
            assign(house, moved=("lobby",))
            left = ("lobby", "left", {"id": ann.leg, "identity": "ann", "reason": "moved"})
            assert left in house.events
            assert "closed" not in house.kinds()
            assert house.media.rooms() == []

    run(scenario)


def test_a_call_follows_what_can_change_live() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("ann"))
            wanted = entry(**audio(talkers=7, bitrateKbps=64, fec=False), maxParticipants=1)
            assign(house, wanted)
            (state,) = house.media.rooms()
            assert (state.talkers, state.bitrate_kbps, state.fec) == (7, 64, False)
            assert state.max_participants == 1
            assert house.people() == ["ann"]

    run(scenario)


def test_the_frame_changes_when_the_room_is_empty() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join(claims("ann"))
            assign(house, entry(**audio(frameMs=10, talkers=5)))
            (state,) = house.media.rooms()
            assert (state.frame_ms, state.talkers) == (20, 5)
            assert house.rooms.assigning.held == {"lobby": "spec.audio.frameMs"}
            house.rooms.assigning.look(0)
            assert house.media.rooms()[0].frame_ms == 20
            await house.rooms.remove_leg("lobby", ann.leg, claims("ann"))
            house.rooms.assigning.look(0)
            assert house.media.rooms()[0].frame_ms == 10
            assert house.rooms.assigning.held == {}

    run(scenario)


def test_a_moderators_lock_stays_until_the_spec_says_something_new() -> None:
    async def scenario() -> None:
        async with building() as house:
            assign(house, entry())
            await house.rooms.patch_room("lobby", MODERATOR, {"locked": True})
            assign(house, entry(**audio(talkers=5)))
            assert house.media.rooms()[0].locked, "the spec never spoke of it"
            assign(house, entry(locked=True))
            assign(house, entry(locked=False))
            assert not house.media.rooms()[0].locked
            assert house.events[-1] == ("lobby", "locked", {"locked": False})

    run(scenario)


def test_limits_and_addresses_are_for_the_next_who_comes() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("ann"))
            house.rooms.assign(
                [entry()], Limits(10, 1), ("203.0.113.9", "203.0.113.10"), lambda _: False
            )
            refused = None
            try:
                await house.join(claims("bob"))
            except Exception as error:
                refused = getattr(error, "code", None)
            assert refused == "pod_full"
            house.rooms.assign([entry()], Limits(10, 2), ("203.0.113.9",), lambda _: False)
            assert " 203.0.113.9 " in (await house.join(claims("bob"))).sdp

    run(scenario)


def test_a_control_process_that_starts_again_finds_the_assigned_rooms() -> None:
    async def scenario() -> None:
        async with building() as house:
            assign(house, entry(uid="u1"))
            await house.join(claims("ann"))
            house.key(house.media.legs()[0].leg)
            again = house.control()
            again.assign([entry(uid="u1")], Limits(), ("127.0.0.1",), lambda _: False)
            assert house.people() == ["ann"]
            assert again.leg_counts() == {"lobby": 1}

    run(scenario)
