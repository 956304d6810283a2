"""Mixer pods without a mixer: a kubelet that makes pods Ready, and admin listeners as contract §7
has them. What the operator sends is taken and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceroom_api import names
from voiceroom_operator.admin.access import Access, Address
from voiceroom_operator.admin.client import Reply, Unreachable

LATE_US = [50, 100, 120, 250, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]
JITTER_US = [500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 50_000, 100_000, 200_000]


@dataclass
class FakeMixer:
    """One pod's admin listener."""

    boot_id: str = "boot-1"
    term: int = 0
    generation: int = 0
    directory: int = 0
    rooms: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    accepting: bool = True
    relays: int = 0
    silent: bool = False
    refuse: Reply | None = None
    """The answer to the next assignments."""
    moves: bool = True
    """What it is made the successor of, it has a moment later."""
    on_moved: Callable[[str, int], None] = lambda *_: None
    """Told the room and the epoch."""
    realtime: dict[str, Any] = field(
        default_factory=lambda: {"mode": "Quota", "granted": True, "reason": "Granted"}
    )
    needs_cpus: float = 0.0
    """It is throttled while its quota is less."""
    verdict: str = ""
    late: list[tuple[float, float]] = field(default_factory=list)
    """From when to when its ticks were bad, by the loop's time."""
    headroom: float = 0.95
    timing: dict[str, Any] = field(default_factory=lambda: {"p99Ms": 0.4, "verdict": None})
    asked: int = 0
    told: int = 0
    shows: bool = True
    """Its image knows of indicators."""
    late_share: float = 0.0
    """Of its ticks that are 5 to 10 ms late; the others are at most 50 us."""
    rough_share: float = 0.0
    """Of its samples of jitter that are above 30 ms."""
    faults: dict[str, int] = field(default_factory=lambda: {"recovered": 0, "late": 0})
    counted: dict[str, list[int]] = field(
        default_factory=lambda: {"late": [0] * 13, "jitter": [0] * 11}
    )
    counted_s: float = -1.0

    def restart(self, *, keeps: bool = False) -> None:
        """The container starts anew."""
        self.boot_id += "+"
        self.directory = 0
        self.counted = {"late": [0] * 13, "jitter": [0] * 11}
        if not keeps:
            self.term, self.generation, self.rooms, self.places = 0, 0, [], {}

    def stall(self, verdict: str = "") -> None:
        """From now on its ticks are bad."""
        self.verdict = verdict
        self.late.append((asyncio.get_running_loop().time(), float("inf")))

    def recover(self) -> None:
        """It keeps time again."""
        self.verdict = ""
        began_s, _ = self.late.pop()
        self.late.append((began_s, asyncio.get_running_loop().time()))

    def starve(self, needs_cpus: float) -> None:
        """From now on it needs more CPU than it has."""
        self.needs_cpus = needs_cpus
        self.stall(names.THROTTLE)

    def limit(self, cpus: float) -> None:
        """The kubelet sets its quota."""
        self.realtime = self.realtime | {"quotaCpus": cpus}
        if 0.0 < self.needs_cpus <= cpus:
            self.needs_cpus = 0.0
            self.recover()

    def indicators(self) -> dict[str, Any]:
        """50 ticks a second; a sample of jitter for each of its people."""
        now_s = asyncio.get_running_loop().time()
        passed_s = now_s - self.counted_s if self.counted_s >= 0 else 0.0
        self.counted_s = now_s
        ticks, samples = round(50 * passed_s), round(sum(self.people.values()) * passed_s)
        late, rough = round(ticks * self.late_share), round(samples * self.rough_share)
        self.counted["late"][0] += ticks - late
        self.counted["late"][8] += late
        self.counted["jitter"][3] += samples - rough
        self.counted["jitter"][7] += rough
        return {
            "lateness": {"edgesUs": LATE_US, "counts": [*self.counted["late"]], "skipped": 0},
            "jitter": {"edgesUs": JITTER_US, "counts": [*self.counted["jitter"]]},
            "recoveries": dict(self.faults),
        }

    def windows(self) -> list[dict[str, Any]]:
        """The ten newest whole seconds."""
        newest = int(asyncio.get_running_loop().time()) - 1
        return [self._window(number) for number in range(newest - 9, newest + 1)]

    def _window(self, number: int) -> dict[str, Any]:
        bad = any(begin < number + 1 and number < end for begin, end in self.late)
        lateness = {"latenessP50Ms": 30.0, "latenessP99Ms": 60.0} if bad else {"latenessP99Ms": 0.4}
        counts = {"window": number, "ticks": 50, "late": 40 * bad, "skipped": 0, "workP99Ms": 2.0}
        return counts | lateness

    def status(self) -> dict[str, Any]:
        self.asked += 1
        self._come()
        rooms = [
            {key: room[key] for key in ("name", "uid", "epoch", "role", "came") if key in room}
            | {"legs": self.people.get(room["name"], 0) if room["role"] == "owner" else 0}
            | {"participants": self.people.get(room["name"], 0)}
            for room in self.rooms
        ]
        return {
            "bootId": self.boot_id,
            "term": self.term,
            "generation": self.generation,
            "directory": self.directory,
            "accepting": self.accepting,
            "unready": [],
            "rooms": rooms,
            "relays": self.relays,
            "headroom": self.headroom,
            "grade": "A",
            "realtime": self.realtime,
            "timing": {"windows": self.windows()}
            | self.timing
            | ({"verdict": self.verdict} if self.verdict else {}),
        } | ({"indicators": self.indicators()} if self.shows else {})

    def _come(self) -> None:
        """Take the rooms that this one is the successor of."""
        for room in self.rooms if self.moves else ():
            if room["role"] == "successor":
                self.rooms = [
                    one | {"role": "owner", "came": {"gapMs": 31, "lostFrames": 0}}
                    if one is room
                    else one
                    for one in self.rooms
                ]
                self.on_moved(room["name"], room["epoch"])

    def give_away(self, room: str, epoch: int) -> None:
        """Another one has the room under this epoch."""
        self.rooms = [
            one | {"role": "former"} if one["name"] == room and one["epoch"] < epoch else one
            for one in self.rooms
        ]

    def assign(self, document: Mapping[str, Any]) -> Reply:
        if self.refuse is not None:
            return self.refuse
        stale = self._stale(document)
        if stale is not None:
            return stale
        same = document["rooms"] == self.rooms
        gap = document["generation"] < self.generation or (
            document["generation"] == self.generation and not same
        )
        if document["term"] == self.term and gap:
            return Reply(409, {"error": "gap", "generation": self.generation})
        self.told += 1
        self.term, self.generation = document["term"], document["generation"]
        self.rooms = list(document["rooms"])
        self.settings = {key: document[key] for key in ("limits", "advertise")}
        return Reply(200, {"term": self.term, "generation": self.generation, "held": []})

    def direct(self, document: Mapping[str, Any]) -> Reply:
        stale = self._stale(document)
        if stale is not None:
            return stale
        if document["from"] not in (0, self.directory):
            return Reply(409, {"error": "gap", "number": self.directory})
        kept = {} if document["from"] == 0 else self.places
        gone = set(document["gone"])
        self.places = {k: v for k, v in kept.items() if k not in gone} | document["set"]
        self.term, self.directory = document["term"], document["to"]
        return Reply(200, {"term": self.term, "number": self.directory})

    def _stale(self, document: Mapping[str, Any]) -> Reply | None:
        if document["term"] >= self.term:
            return None
        body = {"error": "stale_term", "message": f"term {self.term} leads", "term": self.term}
        return Reply(409, body)

    def owned(self) -> set[str]:
        return {room["name"] for room in self.rooms if room["role"] == "owner"}

    def twinned(self) -> set[str]:
        return {room["name"] for room in self.rooms if room["role"] == "twin"}


class FakeMixers:
    """All of them, by address: ``Admin`` as the operator knows it."""

    def __init__(self) -> None:
        self.by_address: dict[Address, FakeMixer] = {}

    def at(self, address: Address) -> FakeMixer:
        mixer = self.by_address.setdefault(address, FakeMixer())
        mixer.on_moved = self._moved
        return mixer

    def _moved(self, room: str, epoch: int) -> None:
        people = sum(one.people.pop(room, 0) for one in self.by_address.values())
        for one in self.by_address.values():
            one.give_away(room, epoch)
            if room in one.owned():
                one.people[room] = people

    async def status(self, address: Address, access: Access) -> Reply:
        return Reply(200, self._heard(address).status())

    async def put(
        self, address: Address, access: Access, what: str, document: Mapping[str, Any]
    ) -> Reply:
        mixer = self._heard(address)
        return mixer.assign(document) if what == "assignment" else mixer.direct(document)

    def _heard(self, address: Address) -> FakeMixer:
        mixer = self.by_address.get(address)
        if mixer is None or mixer.silent:
            raise Unreachable(f"{address}: connection refused")
        return mixer
