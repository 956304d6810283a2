"""kill -9 of control: the next one has rooms, legs, locks and refused tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.building import KEYS, MODERATOR, Building, building, claims, config, room, run
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.state.messages import Kind


def test_rooms_legs_locks_and_kicks_are_there_again() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann, bob = await house.join(claims("ann")), await house.join(claims("bob"))
            gateway = await house.gateway(identity="pbx")
            house.key(ann.leg)
            await house.rooms.remove_leg("lobby", bob.leg, MODERATOR)
            patch = {"locked": True, "muteAll": True}
            await house.rooms.patch_room("lobby", MODERATOR, patch)
            rows = house.media.legs()
            await house.rooms.stop()
            house.events.clear()
            fresh = house.control()
            await fresh.start()
            assert house.media.legs() == rows, "nothing that media reads has changed"
            assert house.people() == ["ann", "pbx"]
            assert fresh.room_json("lobby")["locked"]
            assert fresh.room_json("lobby")["muteAll"]
            assert fresh.is_revoked("jti-bob")
            assert fresh.leg_token_owner("lobby", ann.leg) == "jti-ann"
            assert house.events == []
            assert fresh.counters()["legs_recovered"] == 2
            await fresh.remove_leg("lobby", gateway["id"], MODERATOR)
            again = await house.join(claims("ann"), replaces=ann.leg)
            states = {state.leg: state for state in house.media.legs()}
            assert states[again.leg].slot != states[ann.leg].slot

    run(scenario)


def test_dtls_records_of_older_legs_are_dropped_and_counted() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join()
            house.key(ann.leg)
            await house.rooms.stop()
            fresh = house.control()
            await fresh.start()
            house.media.say_dtls(house.media.leg(ann.leg), b"\x15\xfe\xfdalert")
            await house.hear_media()
            assert fresh.counters()["dtls_no_session"] == 1
            assert house.people() == ["ann"]
            await fresh.remove_leg("lobby", ann.leg, claims())
            assert house.people() == []

    run(scenario)


def test_ice_restart_works_for_older_legs() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join()
            house.key(ann.leg)
            await house.rooms.stop()
            fresh = house.control()
            await fresh.start()
            fragment = "a=ice-ufrag:newer\r\na=ice-pwd:" + "n" * 24 + "\r\n"
            answered = await fresh.patch_ice("lobby", ann.leg, fragment, "*")
            assert answered is not None
            assert house.media.leg(ann.leg).srtp == KEYS

    run(scenario)


def test_a_handshake_cut_short_is_taken_out_since_it_can_never_end() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join()
            await house.rooms.stop()
            fresh = house.control()
            await fresh.start()
            assert house.people() == []
            assert house.media.legs() == []
            assert house.events[-1][2]["reason"] == "lost"

    run(scenario)


def test_torn_and_foreign_rows_are_cleared_and_counted() -> None:
    async def scenario() -> None:
        async with building() as house:
            ann = await house.join()
            house.key(ann.leg)
            state = house.media.leg(ann.leg)
            legs, rooms = (house.media.link().segment.tables[n] for n in ("legs", "rooms"))
            legs.write(3, b"not a leg")
            legs.write(4, replace(state, leg="x", slot=4, room="attic").to_bytes())
            legs.write(5, replace(state, slot=5).to_bytes())
            rooms.write(3, b"{}")
            await house.rooms.stop()
            fresh = house.control()
            await fresh.start()
            assert [s.leg for s in house.media.legs()] == [ann.leg]
            assert fresh.counters()["rows_unreadable"] == 4

    run(scenario)


def test_a_room_that_is_no_longer_wanted_is_closed() -> None:
    async def scenario() -> None:
        async with building(room("lobby"), room("den")) as house:
            ann = await house.join(claims("ann", room="den"))
            house.key(ann.leg)
            await house.rooms.stop()
            house.config = config(room("lobby"))
            fresh = house.control()
            await fresh.start()
            assert not fresh.room_exists("den")
            assert house.events[-1][:2] == ("den", "closed")
            assert [r.room for r in house.media.rooms()] == ["lobby"]
            with pytest.raises(ApiError):
                fresh.room_json("den")

    run(scenario)


def test_a_reopened_room_slot_has_another_generation() -> None:
    house = Building(config(room("den")))
    first = house.media.rooms()[0]
    house.config = config(room("lobby"))
    house.control()
    second = house.media.rooms()[0]
    assert (second.room, second.slot) == ("lobby", first.slot)
    assert second.generation > first.generation
    house.media.close()


def test_more_rooms_than_the_segment_holds_are_refused_at_the_start() -> None:
    house = Building(config())
    house.config = config(*(room(f"r{n}") for n in range(9)))
    with pytest.raises(ValueError, match="no place for another room"):
        house.control()
    house.media.close()


def test_a_recovered_talker_is_not_announced_again() -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway()
            house.media.set(made["id"], talking=1)
            house.media.say(Kind.TALKING, house.media.leg(made["id"]), b"\x01")
            await house.hear_media()
            assert house.kinds()[-1] == "talking"
            await house.rooms.stop()
            fresh = house.control()
            await fresh.start()
            house.pass_time(1)
            assert house.kinds().count("talking") == 1
            house.media.set(made["id"], talking=0)
            house.pass_time(1)
            assert house.kinds()[-1] == "silent"

    run(scenario)
