"""Control's half of a room that its old pod takes back, or keeps because the new one is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from fakes.building import building, claims, room, run
from fakes.sides import UID, B, Side, assigned, entry, order, words
from voiceroom_mixer.control.moving.feeds import Feed
from voiceroom_mixer.control.moving.owning import TOLD_NS
from voiceroom_mixer.control.moving.waits import Chair
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.core.state.seat import Seat

TWIN = "127.0.0.1:7003"
TO_B = words(1, 2) + B.media.encode()


@asynccontextmanager
async def ordered() -> AsyncIterator[tuple[Side, Feed]]:
    """The room of pod ``a``, with Ann in, is about to go to ``b``."""
    async with assigned() as here:
        a = Side(here, "a")
        ann = await here.join(claims("ann"))
        here.key(ann.leg)
        feed = a.feeds.open(here.rooms.house.registry.rooms["lobby"], B)
        assert feed is not None
        a.news(feed)
        order(a)
        a.owning._write(here.rooms.house.registry.rooms["lobby"], other=TWIN)
        yield a, feed


def stop(a: Side, told: bytes = TO_B) -> Seat:
    a.columns(stopped_epoch=1)
    a.handover.word(a.house.rooms.house.registry.links[0], Message(Kind.ROOM_STOPPED, 0, 1, told))
    return seat(a)


def seat(a: Side) -> Seat:
    return a.house.media.rooms()[0].seat


def begin(a: Side, epoch: int) -> None:
    a.columns(began_epoch=epoch, began_how=layout.BEGAN_TAKEN, gap_us=510_000)
    link = a.house.rooms.house.registry.links[0]
    a.handover.word(link, Message(Kind.ROOM_BEGUN, 0, 1, words(epoch)))


def test_who_has_stopped_listens_for_whom_it_gave_the_room_to() -> None:
    async def scenario() -> None:
        async with ordered() as (a, _):
            assert (seat(a).to_pod, seat(a).to_epoch) == (B.process, 2)
            now = stop(a)
            assert (now.part, now.pod, now.owner_epoch) == ("former", B.process, 2)
            assert (now.other, now.to, now.to_pod) == (B.media, "", "")
            assert now.listeners() == {TWIN}, "which knows of nobody else yet"

    run(scenario)


def test_who_was_outranked_by_another_pod_takes_nothing_back() -> None:
    async def scenario() -> None:
        async with ordered() as (a, _):
            now = stop(a, words(1, 7) + b"127.0.0.1:9999")
            assert (now.part, now.pod, now.owner_epoch) == ("former", "", 0)
            assert now.other == "127.0.0.1:9999"

    run(scenario)


def test_a_room_that_was_taken_back_is_found_here_again() -> None:
    async def scenario() -> None:
        async with ordered() as (a, _):
            stop(a)
            assert not a.house.rooms.room_exists("lobby")
            before = a.journal.next_id
            a.house.events.clear()
            begin(a, 3)
            assert a.house.rooms.room_exists("lobby")
            now = seat(a)
            assert (now.part, now.epoch, now.pod, now.other) == ("owner", 3, "", "")
            assert ("lobby", "move", {"epoch": 3}) in a.house.events
            assert "lobby" not in a.owning.places, "people are no longer sent to b"
            shown = a.handover.seats()["lobby"]
            came = {"gapMs": 510, "lostFrames": 25, "taken": True}
            assert shown == {"role": "owner", "epoch": 3, "came": came}
            (event,) = a.journal.since("lobby", before + 100)
            assert event.type == "reset", "b may have told what is not known here"

    run(scenario)


def test_a_restarted_control_finds_a_room_that_was_taken_back() -> None:
    async def scenario() -> None:
        async with ordered() as (a, _):
            a.columns(stopped_epoch=1, began_epoch=3)
            await a.house.rooms.stop()
            fresh = a.house.control()
            assert fresh.room_exists("lobby")
            assert (seat(a).part, seat(a).epoch, seat(a).to) == ("owner", 3, "")

    run(scenario)


def test_a_restarted_control_goes_on_listening() -> None:
    async def scenario() -> None:
        async with ordered() as (a, _):
            a.columns(stopped_epoch=1)
            await a.house.rooms.stop()
            a.house.control()
            assert (seat(a).part, seat(a).pod, seat(a).owner_epoch) == ("former", B.process, 2)

    run(scenario)


@pytest.mark.parametrize("goes", ["closed", "cut off"])
def test_a_successor_that_goes_before_the_cut_is_given_nothing(goes: str) -> None:
    async def scenario() -> None:
        async with ordered() as (a, feed):
            a.handover.look(0)
            assert seat(a).to == B.media
            if goes == "closed":
                a.feeds.close(feed)
            else:
                feed.is_read = lambda: False
            a.handover.look(0)
            assert seat(a).to == ""
            assert a.house.rooms.room_exists("lobby"), "requests are answered again"
            assert seat(a).to_pod == B.process, "media may have stopped in this moment"
            a.owning.look(0)
            assert (seat(a).to_pod, seat(a).to_epoch) == ("", 0)

    run(scenario)


def test_after_the_cut_nothing_is_withdrawn() -> None:
    async def scenario() -> None:
        async with ordered() as (a, feed):
            a.columns(stopped_epoch=1)
            feed.is_read = lambda: False
            a.handover.look(0)
            assert stop(a).pod == B.process

    run(scenario)


def test_what_the_operator_no_longer_names_is_not_taken_back() -> None:
    async def scenario() -> None:
        async with ordered() as (a, _):
            stop(a)
            a.handover.disclaim({"lobby"})
            assert seat(a).pod == B.process
            a.handover.disclaim({"another"})
            assert (seat(a).part, seat(a).pod, seat(a).owner_epoch) == ("former", "", 0)

    run(scenario)


def test_a_former_owner_that_is_made_the_twin_goes_on_listening() -> None:
    async def scenario() -> None:
        async with ordered() as (a, _):
            stop(a)
            a.handover.apply([Chair(entry(2), "twin", "", 2)])
            now = seat(a)
            assert (now.part, now.pod, now.owner_epoch, now.other) == (
                "twin",
                B.process,
                2,
                B.media,
            )

    run(scenario)


def test_a_pod_beats_to_the_owner_before_the_move_and_to_the_former_one_after() -> None:
    async def scenario() -> None:
        async with building(room("other")) as there:
            b = Side(there, "b")
            b.handover.apply([Chair(entry(2), "successor", "", 1)])
            standing = b.standing.rooms["lobby"]
            hello = {"pod": "a0" * 8, "epoch": 1, "uid": UID, "media": "127.0.0.1:7000"}
            b.handover._greeted(standing, hello, "127.0.0.1:8443")
            assert b.owning.listeners() == {0: {"127.0.0.1:7000"}}
            columns, state = there.media.segment.room_columns, standing.state
            columns["generation"][state.slot] = state.generation
            columns["began_epoch"][state.slot] = 2
            b.handover.look(0)
            assert standing.state.seat.part == "owner"
            assert b.owning.listeners()[0] >= {"127.0.0.1:7000"}
            assert standing.state.seat.hears == "127.0.0.1:7000"

    run(scenario)


@pytest.mark.parametrize(
    ("fields", "stays"),
    [
        ({}, True),
        ({"epoch": 4}, False),
        ({"other": "127.0.0.1:7000"}, False),
        ({"other": "127.0.0.1:7009"}, True),
    ],
    ids=["not on record", "a later epoch", "it is the twin", "another twin, the epoch not raised"],
)
def test_the_former_owner_is_let_go_of_once_it_must_know_that_it_takes_nothing_back(
    fields: dict[str, Any], stays: bool
) -> None:
    async def scenario() -> None:
        async with assigned() as here:
            b = Side(here, "b")
            lobby = here.rooms.house.registry.rooms["lobby"]
            given = Seat(part="owner", epoch=2, key="00" * 16, hears="127.0.0.1:7000")
            lobby.state = replace(lobby.state, seat=replace(given, **fields))
            b.columns(began_epoch=2)
            for now_ns in (1, TOLD_NS, TOLD_NS + 1):
                assert lobby.state.seat.hears
                b.owning._let_formers_go(now_ns)
            assert bool(lobby.state.seat.hears) == stays

    run(scenario)
