"""What media says: talking, refills, nonsense."""

from __future__ import annotations

import logging

import pytest

from fakes.building import building, run
from voiceroom_mixer.core.state.messages import Kind, Message


def test_talking_and_silent_are_told_once_for_each_change() -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway()
            leg = house.media.leg(made["id"])
            for on in (1, 1, 0, 0, 1):
                house.media.say(Kind.TALKING, leg, bytes((on,)))
            await house.hear_media()
            assert house.kinds() == ["joined", "talking", "silent", "talking"]
            assert house.events[1][2]["id"] == made["id"]

    run(scenario)


def test_a_refill_timeout_is_one_structured_line(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway()
            with caplog.at_level(logging.WARNING):
                house.media.refill(house.media.leg(made["id"]), 40, 80, 7, 0x1234)
                await house.hear_media()

    run(scenario)
    record = next(r for r in caplog.records if r.message == "JB refill timeout")
    assert (record.__dict__["size_ms"], record.__dict__["target_ms"]) == (40, 80)
    assert (record.__dict__["last_seq"], record.__dict__["ssrc"]) == (7, 0x1234)


@pytest.mark.parametrize("kind", [Kind.DTLS, Kind.NOMINATED, Kind.ENDED, Kind.TALKING, Kind.REFILL])
def test_words_cut_short_are_counted(kind: Kind) -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway()
            house.media.say(kind, house.media.leg(made["id"]))
            await house.hear_media()
            assert house.rooms.counters()["words_malformed"] == 1
            assert len(house.people()) == 1

    run(scenario)


def test_another_path_is_asked_of_that_leg_alone_and_not_while_its_room_changes_pods() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join()
            made = await house.join()
            leg = house.media.leg(made.leg)
            house.media.say(Kind.ANOTHER_PATH, leg)
            await house.hear_media()
            assert house.events[-1] == ("lobby", "move", {"id": made.leg, "epoch": 0})
            house.rooms._registry.frozen.add("lobby")
            house.media.say(Kind.ANOTHER_PATH, leg)
            await house.hear_media()
            assert house.kinds().count("move") == 1

    run(scenario)


def test_words_about_nobody_are_counted() -> None:
    async def scenario() -> None:
        async with building() as house:
            house.media.say_raw(Message(Kind.HEARD, 9, 9).to_bytes())
            house.media.say_raw(Message(Kind.LEG, 0, 0).to_bytes())
            await house.hear_media()
            assert house.rooms.counters()["stale_messages"] == 1

    run(scenario)
