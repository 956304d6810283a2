"""Control's half of what a pod has to do with other pods, without their sockets."""

from __future__ import annotations

from typing import Any, cast

from fakes.building import Building, building, room
from fakes.door import segment
from voiceroom_mixer.config import RoomEntry
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.moving.channel import Channel
from voiceroom_mixer.control.moving.feeds import MARKS_NS, Feed, Feeds, Follower
from voiceroom_mixer.control.moving.handover import Handover
from voiceroom_mixer.control.moving.owning import Owning

UID = "uid-lobby"
B = Follower(
    "b", "successor", "127.0.0.1:7001", (("203.0.113.9", 7001),), "127.0.0.1:8443", "b0" * 8
)


def entry(epoch: int = 1) -> RoomEntry:
    found = room("lobby")
    found["uid"], found["epoch"] = UID, epoch
    return found


class Side:
    """One pod's rooms and what it has to do with others."""

    def __init__(self, house: Building, name: str) -> None:
        self.house = house
        inner, standing = house.rooms.house, house.rooms.standing
        self.journal = Journal(segment())
        links = inner.registry.links
        self.feeds = Feeds(
            self.journal, inner.revoked, lambda: sum(link.revision for link in links)
        )
        self.owning = Owning(inner, standing, self.feeds)
        self.handover = Handover(
            inner,
            standing,
            self.feeds,
            self.owning,
            self.journal,
            name,
            cast("Channel", None),
            lambda link: f"127.0.0.1:{link.udp_port}",
            lambda link: f"{name}{link.index}",
        )
        house.rooms.words.on_room = self.handover.word
        self.standing = standing

    def news(self, feed: Feed, now_ns: int = MARKS_NS) -> bytes:
        return self.feeds.news(feed, now_ns)

    def columns(self, **values: int) -> None:
        """What media writes of its room."""
        for name, value in ({"generation": 1} | values).items():
            self.house.media.segment.room_columns[name][0] = value


def assigned() -> Any:
    return building(entry())


def order(a: Side, **fields: Any) -> None:
    owned = a.house.rooms.house.registry.rooms["lobby"]
    feed = a.feeds.of("lobby", "b")
    known = {"pod": "b", "uid": UID, "epoch": 2, "version": feed.version if feed else 0}
    a.owning.order(owned, known | fields, 0)


def words(*numbers: int) -> bytes:
    """As media writes them: u32 each."""
    return b"".join(number.to_bytes(4, "big") for number in numbers)
