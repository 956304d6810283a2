"""Control's half of a move: what is told of a room, who is told to stop, what people hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import aiohttp
import pytest

from fakes.building import building, claims, room, run
from fakes.sides import UID, B, Side, assigned, entry, order, words
from voiceroom_mixer.control.moving import feeds
from voiceroom_mixer.control.moving.feeds import MARKS_NS, STILL_NS
from voiceroom_mixer.control.moving.following import FeedError, Following
from voiceroom_mixer.control.moving.owning import CUT_NS
from voiceroom_mixer.control.moving.waits import Chair
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.legstate import LegState
from voiceroom_mixer.core.state.marks import Mark
from voiceroom_mixer.core.state.messages import Kind, Message


class Lines:
    """A body that is read chunk by chunk."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = iter(chunks)

    async def readany(self) -> bytes:
        return next(self._chunks, b"")


def body(*chunks: bytes) -> aiohttp.StreamReader:
    return cast("aiohttp.StreamReader", Lines(*chunks))


def following(side: Side) -> Following:
    standing = side.standing.rooms.get("lobby")
    if standing is None:
        chair = Chair(entry(2), "successor", "", 1)
        side.handover.apply([chair])
        standing = side.standing.rooms["lobby"]
    return Following(
        standing, "127.0.0.1:8443", side.standing, side.handover._greeted, lambda *_: None
    )


def without_place(state: LegState) -> LegState:
    return replace(state, slot=0, generation=0, room_slot=0)


def test_a_follower_has_every_leg_and_loses_those_that_leave() -> None:
    async def scenario() -> None:
        async with assigned() as here, building(room("other")) as there:
            a, b = Side(here, "a"), Side(there, "b")
            ann, bob = await here.join(claims("ann")), await here.join(claims("bob"))
            owned = here.rooms.house.registry.rooms["lobby"]
            feed = a.feeds.open(owned, B)
            assert feed is not None
            reader = following(b)
            await reader.read(body(a.news(feed)))
            assert reader.is_whole
            copies = {s.leg: without_place(s) for s in there.media.legs()}
            assert copies == {s.leg: without_place(s) for s in here.media.legs()}
            assert a.news(feed, MARKS_NS + 1) == b"", "nothing is told twice"
            await here.rooms.remove_leg("lobby", bob.leg, claims("bob"))
            again = following(b)
            gone = a.news(feed, MARKS_NS + 1)
            assert bob.leg.encode() in gone
            fresh = a.feeds.open(owned, B)
            assert fresh is not None
            assert feed.closed, "one reader a pod"
            await again.read(body(*_pieces(a.news(fresh))))
            assert [s.leg for s in there.media.legs()] == [ann.leg]

    run(scenario)


def _pieces(raw: bytes) -> Iterator[bytes]:
    return (raw[at : at + 100] for at in range(0, len(raw), 100))


def test_marks_carry_what_media_says_of_the_streams() -> None:
    async def scenario() -> None:
        async with assigned() as here, building(room("other")) as there:
            a, b = Side(here, "a"), Side(there, "b")
            ann = await here.join(claims("ann"))
            here.media.set(
                ann.leg,
                tx_ssrc=77,
                tx_bound=640,
                srtcp_bound=9,
                heard=1,
                rx_ssrc=5,
                rx_index=70_000,
                talking=1,
            )
            feed = a.feeds.open(here.rooms.house.registry.rooms["lobby"], B)
            assert feed is not None
            reader = following(b)
            await reader.read(body(a.news(feed)))
            copy = there.media.legs()[0]
            row = there.media.segment.tables["marks"].read(copy.slot)
            mark = Mark.from_bytes(row, copy.generation)
            assert (mark.tx_ssrc, mark.tx_index, mark.tx_srtcp) == (77, 640, 9)
            assert (mark.rx_ssrc, mark.rx_index) == (5, 70_000)
            assert b.standing.rooms["lobby"].legs[ann.leg].talking

    run(scenario)


def test_a_gateway_is_where_it_says_whatever_a_nodes_nat_makes_of_it() -> None:
    async def scenario() -> None:
        async with assigned() as here:
            ann = await here.join(claims("ann"))
            leg = here.rooms.house.registry.rooms["lobby"].legs[ann.leg]
            at = {"address_family": 4, "address_low": 0x0A00_0001, "address_port": 53_685}
            here.media.set(ann.leg, **at)
            assert feeds.mark(leg)[-2:] == ["10.0.0.1", 53_685]
            leg.state = replace(leg.state, kind="rtp", remote_ip="10.0.0.1", remote_port=6_000)
            assert feeds.mark(leg)[-2:] == ["10.0.0.1", 6_000]
            leg.state = replace(leg.state, remote_port=0)
            assert feeds.mark(leg)[-2:] == ["10.0.0.1", 53_685], "it is learnt from its packets"

    run(scenario)


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b"[1]\n", b'{"marks":[[1,2]]}\n', b'{"set":[{"version":99}]}\n']
)
def test_a_line_that_is_none_ends_the_feed(line: bytes) -> None:
    async def scenario() -> None:
        async with building(room("other")) as there:
            reader = following(Side(there, "b"))
            with pytest.raises(ValueError, match=r".") as caught:
                await reader.read(body(line))
            assert isinstance(caught.value, FeedError | ValueError)

    run(scenario)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"uid": "another"}, "not_this_room"),
        ({"epoch": 1}, "old_epoch"),
        ({"version": 99}, "behind"),
        ({"pod": "c"}, "behind"),
        ({"epoch": "x"}, "invalid_field"),
    ],
)
def test_an_order_that_does_not_fit_changes_nothing(fields: dict[str, Any], code: str) -> None:
    async def scenario() -> None:
        async with assigned() as here:
            a = Side(here, "a")
            feed = a.feeds.open(here.rooms.house.registry.rooms["lobby"], B)
            assert feed is not None
            a.news(feed)
            with pytest.raises(ApiError) as caught:
                order(a, **fields)
            assert caught.value.code == code
            assert here.media.rooms()[0].seat.to == ""
            assert here.rooms.room_exists("lobby")

    run(scenario)


def test_an_ordered_room_is_closed_to_changes_until_media_has_stopped_or_time_is_up() -> None:
    async def scenario() -> None:
        async with assigned() as here:
            a = Side(here, "a")
            feed = a.feeds.open(here.rooms.house.registry.rooms["lobby"], B)
            assert feed is not None
            a.news(feed)
            order(a)
            seat = here.media.rooms()[0].seat
            assert (seat.to, seat.to_epoch) == (B.media, 2)
            assert not here.rooms.room_exists("lobby")
            a.owning.look(CUT_NS)
            assert here.rooms.room_exists("lobby")
            assert here.media.rooms()[0].seat.to == ""

    run(scenario)


def test_what_people_are_told_when_a_room_has_left() -> None:
    async def scenario() -> None:
        async with assigned() as here:
            a = Side(here, "a")
            gateway = await here.gateway()
            ann = await here.join(claims("ann"))
            feed = a.feeds.open(here.rooms.house.registry.rooms["lobby"], B)
            assert feed is not None
            a.news(feed)
            order(a)
            here.events.clear()
            a.columns(stopped_epoch=1)
            told = words(1, 2) + b"127.0.0.1:7001"
            link = here.rooms.house.registry.links[0]
            a.handover.word(link, Message(Kind.ROOM_STOPPED, 0, 1, told))
            moved = {"id": gateway["id"], "ip": "203.0.113.9", "port": 7001}
            assert here.events == [
                ("lobby", "moved", moved),
                ("lobby", "move", {"epoch": 2}),
            ]
            assert not here.rooms.room_exists("lobby")
            assert feed.closed
            assert here.rooms.leg_count() == 2, "they are relayed"
            assert a.owning.places["lobby"] == ("b", B.admin, 2)
            assert a.handover.has_given_away("lobby", UID, 1)
            assert not a.handover.has_given_away("lobby", UID, 3)
            here.media.end(ann.leg, layout.END_TIMEOUT, tell=False)
            here.media.end(gateway["id"], layout.END_TIMEOUT, tell=False)
            a.standing.sweep()
            assert here.media.rooms() == [], "and when they have gone, so has it"

    run(scenario)


def test_a_room_that_media_has_begun_is_found_here_also_by_a_restarted_control() -> None:
    async def scenario() -> None:
        async with assigned() as here, building(room("other")) as there:
            a, b = Side(here, "a"), Side(there, "b")
            ann = await here.join(claims("ann"))
            here.key(ann.leg)
            feed = a.feeds.open(here.rooms.house.registry.rooms["lobby"], B)
            assert feed is not None
            await following(b).read(body(a.news(feed)))
            there.media.look()
            standing = b.standing.rooms["lobby"]
            slot = standing.state.slot
            columns = there.media.segment.room_columns
            columns["generation"][slot] = standing.state.generation
            columns["began_epoch"][slot], columns["began_how"][slot] = 2, layout.BEGAN_TAKEN
            await there.rooms.stop()
            fresh = there.control()
            assert fresh.room_exists("lobby")
            assert fresh.leg_token_owner("lobby", ann.leg) == "jti-ann"
            assert there.media.rooms()[-1].seat.part == "owner"
            await fresh.start()

    run(scenario)


def test_a_begun_room_tells_gateways_and_pages() -> None:
    async def scenario() -> None:
        async with assigned() as here, building(room("other")) as there:
            a, b = Side(here, "a"), Side(there, "b")
            gateway = await here.gateway()
            feed = a.feeds.open(here.rooms.house.registry.rooms["lobby"], B)
            assert feed is not None
            await following(b).read(body(a.news(feed)))
            there.media.look()
            standing = b.standing.rooms["lobby"]
            slot = standing.state.slot
            columns = there.media.segment.room_columns
            columns["generation"][slot] = standing.state.generation
            columns["began_epoch"][slot], columns["began_how"][slot] = 2, layout.BEGAN_MOVED
            there.events.clear()
            b.handover.look(0)
            assert ("lobby", "move", {"epoch": 2}) in there.events
            assert ("lobby", "moved") in [(where, kind) for where, kind, _ in there.events]
            assert there.rooms.room_exists("lobby")
            assert b.handover.seats()["lobby"]["came"]["taken"] is False
            assert [leg.id for leg in there.rooms.house.registry.rooms["lobby"].legs.values()] == [
                gateway["id"]
            ]
            assert b.handover.owns("lobby", 1), "the operator does not know yet"

    run(scenario)


def test_of_a_room_in_which_nobody_is_marks_are_told_every_five_seconds() -> None:
    async def scenario() -> None:
        async with assigned() as here:
            a = Side(here, "a")
            owned = here.rooms.house.registry.rooms["lobby"]
            feed = a.feeds.open(owned, B)
            assert feed is not None
            a.news(feed, MARKS_NS)
            assert a.news(feed, 2 * MARKS_NS) == b""
            assert b"marks" in a.news(feed, MARKS_NS + STILL_NS)
            await here.join(claims("ann"))
            assert b"marks" in a.news(feed, 2 * MARKS_NS + STILL_NS)

    run(scenario)
