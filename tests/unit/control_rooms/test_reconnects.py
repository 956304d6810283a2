"""Who comes back three times within a minute is a storm, once."""

from __future__ import annotations

from fakes.building import building, claims, run
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.rooms.reconnects import MAX_PEOPLE, Reconnects

FRAGMENT = "a=ice-ufrag:newer{}\r\na=ice-pwd:" + "n" * 24 + "\r\n"


def _storms(*times_s: float) -> list[bool]:
    reconnects = Reconnects()
    return [reconnects.note("ann", int(at * NS_PER_S)) for at in times_s]


def test_the_third_time_within_a_minute_begins_a_storm() -> None:
    assert _storms(0, 30, 60) == [False, False, True]
    assert _storms(0, 30, 60.1) == [False, False, False]


def test_a_storm_that_goes_on_is_one_and_after_a_pause_another() -> None:
    assert sum(_storms(*range(0, 300, 10))) == 1
    assert _storms(0, 1, 2, 3, 100, 101, 102) == [*[False] * 2, True, *[False] * 3, True]


def test_people_are_told_apart() -> None:
    reconnects = Reconnects()
    assert not any(reconnects.note(who, 0) for who in ("ann", "bob", "eve") * 2)


def test_those_who_came_back_longest_ago_are_forgotten() -> None:
    reconnects = Reconnects()
    for _ in range(2):
        reconnects.note("ann", 0)
    for n in range(MAX_PEOPLE):
        reconnects.note(f"person {n}", 0)
    assert not reconnects.note("ann", 0)
    assert len(reconnects._people) == MAX_PEOPLE


def test_rejoins_and_ice_restarts_of_one_person_add_up() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("bob"))
            leg = await house.join(claims("ann"))
            house.key(leg.leg)
            new = await house.join(claims("ann"), replaces=leg.leg)
            house.key(new.leg)
            for n in range(2):
                await house.rooms.patch_ice("lobby", new.leg, FRAGMENT.format(n), "*")
            counted = house.rooms.counters()
            assert (counted["rejoins"], counted["ice_restarts"]) == (1, 2)
            assert counted["reconnect_storms"] == 1

    run(scenario)


def test_restarts_that_pages_were_asked_for_are_no_storm() -> None:
    async def scenario() -> None:
        async with building() as house:
            leg = await house.join(claims("ann"))
            house.key(leg.leg)
            for n in range(6):
                house.rooms.house.publish("lobby", "move", {"epoch": n})
                house.clocks.now += NS_PER_S
                await house.rooms.patch_ice("lobby", leg.leg, FRAGMENT.format(n), "*")
            counted = house.rooms.counters()
            assert counted["ice_restarts"] == 6
            assert "reconnect_storms" not in counted
            house.clocks.now += 10 * NS_PER_S
            for n in range(3):
                await house.rooms.patch_ice("lobby", leg.leg, FRAGMENT.format(9 + n), "*")
            assert house.rooms.counters()["reconnect_storms"] == 1

    run(scenario)


def test_a_second_connection_of_the_same_name_is_no_return() -> None:
    async def scenario() -> None:
        async with building() as house:
            for _ in range(4):
                await house.join(claims("ann"))
            assert "rejoins" not in house.rooms.counters()

    run(scenario)
