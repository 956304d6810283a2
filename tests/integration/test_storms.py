"""Crowds that come and go leave nothing behind, and are not heard by who stays."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from harness.crowd import Crowd
from harness.faults import segment
from harness.listening import until, until_heard
from harness.mixer import LOBBY, Mixer, running
from harness.party import Party, gathering
from harness.procfs import Holdings, holdings
from harness.webrtc import WebRtcLeg
from voiceroom_mixer.core.state import layout

ROOMS, LEGS, ROUNDS = 50, 20, 20
SETTLED = 5
"""Rounds after which nothing may grow any more."""
LEAK_BYTES = 48 * ROOMS * LEGS
"""Of a round in which each leg left the smallest of objects behind. A slab that is touched for the
first time takes a huge page of 2 MiB at once, in one round; a leak grows in all of them."""
PARALLEL = 32
NAMES = [f"storm-{n}" for n in range(ROOMS)]
CALL_S = 10.0
JOINS_A_SECOND = 50


@pytest.fixture
def many_rooms(tmp_path: Path) -> Iterator[Mixer]:
    """As many rooms as a storm needs, and the lobby."""
    documents = "---\n".join(LOBBY.replace("lobby", name) for name in [*NAMES, "lobby"])
    with running(tmp_path, documents=documents) as mixer:
        yield mixer


async def _storm(mixer: Mixer, rounds: int) -> list[dict[str, Holdings]]:
    """Rounds of joining and leaving; what each process holds after each."""
    tokens = {name: mixer.sign("moderator", name) for name in NAMES}
    gate = asyncio.Semaphore(PARALLEL)
    found = []
    async with aiohttp.ClientSession(mixer.base) as client:
        for n in range(rounds):
            full = asyncio.Barrier(ROOMS)  # so that each round holds as much at its height
            async with asyncio.TaskGroup() as group:
                for index, name in enumerate(NAMES):
                    room = Room(client, gate, name, tokens[name], index)
                    group.create_task(room.come_and_go(full, n))
            # Media takes the last rows a tick later; what it still holds until then is no leak.
            await asyncio.to_thread(_media_is_empty, mixer)
            found.append({name: holdings(pid) for name, pid in mixer.pids().items()})
    return found


@dataclass(frozen=True)
class Room:
    """One of the storm's."""

    client: aiohttp.ClientSession
    gate: asyncio.Semaphore
    name: str
    token: str
    at: int

    @property
    def _path(self) -> str:
        return f"/rooms/{self.name}/legs"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def come_and_go(self, full: asyncio.Barrier, n: int) -> None:
        """All legs come; when those of all rooms are there they go, one by one or all at once."""
        made = [await self._come(10_000 + self.at * LEGS + leg) for leg in range(LEGS)]
        await full.wait()
        if n % 2:
            async with self.gate, self.client.delete(self._path, headers=self._headers) as answer:
                assert (await answer.json())["removed"] == LEGS
            return
        for leg_id in made:
            path = f"{self._path}/{leg_id}"
            async with self.gate, self.client.delete(path, headers=self._headers) as answer:
                assert answer.status == 204

    async def _come(self, port: int) -> str:
        body = {"kind": "rtp", "ip": "127.0.0.1", "port": port, "payloadType": 111}
        async with (
            self.gate,
            self.client.post(self._path, json=body, headers=self._headers) as answer,
        ):
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])


def _media_is_empty(mixer: Mixer) -> None:
    until(lambda: mixer.metrics()["voiceroom_legs"] == 0, what="media still has legs")


def _nothing_is_left(mixer: Mixer) -> None:
    _media_is_empty(mixer)

    def tasks() -> bool:
        numbers = mixer.metrics()
        return numbers["voiceroom_tasks"] == numbers["voiceroom_tasks_expected"]

    until(tasks, what="tasks are left over")
    numbers = mixer.metrics()
    assert numbers["voiceroom_pcm_pool_leaked_total"] == 0
    assert numbers["voiceroom_leg_faults_total"] == 0
    with segment(mixer) as memory:
        assert list(memory.tables["legs"].used()) == []
        assert set(memory.columns["phase"].tolist()) == {layout.PHASE_FREE}


@pytest.mark.timeout(240)
def test_a_storm_of_20_000_joins_leaves_nothing(many_rooms: Mixer) -> None:
    after = asyncio.run(_storm(many_rooms, ROUNDS))
    _nothing_is_left(many_rooms)
    for name in ("voiceroom-control", "voiceroom-media"):
        held = [found[name] for found in after[SETTLED - 1 :]]
        assert held[-1].threads <= held[0].threads
        assert held[-1].files <= held[0].files
        grew = [b.own_bytes - a.own_bytes for a, b in itertools.pairwise(held)]
        assert statistics.median(grew) < LEAK_BYTES, (name, grew)
    with segment(many_rooms) as memory:
        assert memory.tables["legs"].high <= ROOMS * LEGS, "slots are used again"


def test_a_storm_of_webrtc_legs_leaves_nothing(mixer: Mixer) -> None:
    before: Holdings | None = None
    for _ in range(4):
        with gathering(mixer) as party:
            legs = [party.dial(None, "guest") for _ in range(12)]
            for leg in legs:
                leg.wait_packets(1)
            for n, leg in enumerate(legs):
                _leave(party, leg, n)
        _nothing_is_left(mixer)
        first = before or holdings(mixer.pids()["voiceroom-control"])
        until(partial(_holds_no_more, mixer, first), what="files or threads stay")
        before = first


def _holds_no_more(mixer: Mixer, before: Holdings) -> bool:
    """The connection of the last question may be on its way out."""
    now = holdings(mixer.pids()["voiceroom-control"])
    return now.threads <= before.threads and now.files <= before.files


def _leave(party: Party, leg: WebRtcLeg, n: int) -> None:
    """By DELETE, by a kick, by closing DTLS."""
    if n % 3 == 0:
        assert party.mixer.call("DELETE", leg.location, leg.token)[0] == 200
    elif n % 3 == 1:
        assert party.call("DELETE", f"/legs/{leg.id}")[0] == 204
    else:
        leg.say_goodbye()


@pytest.mark.timing
def test_50_joins_a_second_under_a_call_add_no_skipped_tick(many_rooms: Mixer) -> None:
    with gathering(many_rooms) as party:
        party.join(440.0, "low")
        ear = party.join(1_100.0, "high")
        until_heard(ear, 440.0)
        before = _skipped(many_rooms)
        ear.wait_packets(round(CALL_S * 50), 2 * CALL_S)
        quiet = _skipped(many_rooms) - before
        crowd, begun = Crowd(many_rooms, NAMES), len(ear.heard)
        took_s = crowd.join(JOINS_A_SECOND, CALL_S)
        heard = ear.heard[begun:]
    assert crowd.failures == []
    assert took_s < CALL_S + 2.0
    assert _skipped(many_rooms) - before - quiet <= quiet
    steps = {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(heard)}
    assert steps == {960}


def _skipped(mixer: Mixer) -> float:
    return mixer.metrics()["voiceroom_ticks_skipped_total"]
