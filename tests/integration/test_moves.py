"""Rooms change pods under a call: what the receivers hear, packet by packet."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.captures import frames_are_whole, now_ns, passage, since
from harness.events import events, until_event
from harness.handover import (
    HZ,
    OTHER_HZ,
    PATIENT,
    TIMELY,
    be_twins,
    callers,
    direct_to,
    entry,
    until_role,
)
from harness.listening import WHOLE_DB, loudness, until, until_heard
from harness.party import Party, gathering
from harness.pods import Pod, direct, owned, pods, standing
from voiceroom_operator.binding.directory import Directory


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Pod]]:
    """Pod ``a`` runs room ``lobby``; ``b`` stands ready."""
    with pods(tmp_path, "a", "b", options=TIMELY) as (a, b):
        a.card = b.card = PATIENT
        direct([a, b], Directory(), {"lobby": a})
        assert a.assign(owned("lobby", "a")) == 200
        yield [a, b]


@pytest.fixture
def twins(pair: list[Pod]) -> list[Pod]:
    """``b`` is the room's twin."""
    a, b = pair
    be_twins(a, b)
    return pair


def until_twin_knows(b: Pod, legs: int) -> None:
    """And has had a second to hear of their indexes."""
    b.until(lambda: entry(b)["legs"] == legs and entry(b)["prepared"], "legs are missing")
    leg = b.metrics()["voiceroom_ticks_total"]
    b.until(lambda: b.metrics()["voiceroom_ticks_total"] > leg + 60, "no time passes")


@pytest.mark.timing
def test_an_orderly_move_loses_nothing(pair: list[Pod]) -> None:
    a, b = pair
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        with events(a, lobby.token) as stream:
            begun = now_ns()
            assert b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
            moved = until_event(stream, "moved", id=lobby.id(gateway))
            until_event(stream, "move", epoch=2)
        assert moved.data["port"] == b._udp
        until_role(b, "owner", 2)
        ana.wait_packets(50)
        until_heard(ana, HZ)
        until_heard(gateway, OTHER_HZ)
        for leg in (ana, gateway):
            found = passage(since(leg, begun))
            print(f"orderly, {type(leg).__name__}: {found}")
            assert (found.lost, found.repeated, found.streams) == (0, 0, 1)
            frames_are_whole(since(leg, begun))
        for leg, hz in ((ana, HZ), (gateway, OTHER_HZ)):
            sound = loudness(since(leg, begun), hz, 1)
            faint = {n: round(level) for n, level in enumerate(sound) if level <= WHOLE_DB}
            assert not faint, f"{type(leg).__name__}: {faint} of {len(sound)} frames"
        ana.no_index_came_twice()
        until(lambda: [p["talking"] for p in Party(b).room()["participants"]] == [True, True])
        assert a.status()["relays"] == 2


def test_a_client_follows_by_ice_and_the_old_pod_lets_go(pair: list[Pod]) -> None:
    a, b = pair
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        assert b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
        until_role(b, "owner", 2)
        ana.restart_ice(b)
        begun = now_ns()
        ana.nominate(ana.ice.candidates[0])
        assert ana.target[1] == b._udp
        ana.wait_packets(50)
        until_heard(gateway, OTHER_HZ)
        found = passage(since(ana, begun))
        assert (found.lost, found.repeated, found.streams) == (0, 0, 1)
        ana.no_index_came_twice()
        assert ana.handshakes == 1, "nobody has rejoined"
        status, _, _ = b.call("DELETE", ana.location, ana.token)
        assert status == 200
        until(lambda: len(Party(b).room()["participants"]) == 1, what="it is still there")


@pytest.mark.timing
def test_the_twin_takes_over_from_a_pod_that_is_killed(twins: list[Pod]) -> None:
    a, b = twins
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        assert len(ana.ice.candidates) == 2, "the answer lists the twin"
        with events(a, lobby.token) as stream:
            lobby.patch(gateway, gainDb=-1)
            lobby.patch(gateway, muted=False)
            seen = until_event(stream, "muted", id=lobby.id(gateway)).id
        until_twin_knows(b, 2)
        begun = now_ns()
        a.process.kill()
        until_role(b, "owner", 2)
        with events(b, lobby.token, last_id=str(seen)) as stream:
            first = next(stream)
            assert (first.kind, first.data["id"]) == ("moved", lobby.id(gateway)), "no reset"
            gateway.target = (first.data["ip"], first.data["port"])
            until_event(stream, "move", epoch=2)
        ana.nominate(ana.ice.candidates[1])
        until_heard(ana, HZ)
        until_heard(gateway, OTHER_HZ)
        for leg in (ana, gateway):
            found = passage(since(leg, begun))
            print(f"killed, {type(leg).__name__}: {found}")
            assert found.streams == 2
            assert found.gap_ms < 1_000
        ana.no_index_came_twice()
        assert ana.handshakes == 1


@pytest.mark.timing
def test_an_owner_that_was_stopped_comes_back_and_relays(twins: list[Pod]) -> None:
    a, b = twins
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        until_twin_knows(b, 2)
        everybody = [a.process.pid, *a.pids().values()]
        begun = now_ns()
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        try:
            until_role(b, "owner", 2)
            until(lambda: bool(since(ana, now_ns())), what="nothing is heard of the twin")
        finally:
            for pid in everybody:
                os.kill(pid, signal.SIGCONT)
        until_role(a, "former", 1)
        back = now_ns()
        until_heard(gateway, OTHER_HZ)
        until_heard(ana, HZ)
        for leg in (ana, gateway):
            found = passage(since(leg, begun))
            print(f"stopped, {type(leg).__name__}: {found}")
            assert found.gap_ms < 1_000
            assert passage(since(leg, back + 500_000_000)).streams == 1
        ana.no_index_came_twice()


def test_back_and_forth_leaves_nothing_behind(pair: list[Pod]) -> None:
    a, b = pair
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        begun = now_ns()
        for epoch in range(2, 6):
            old, new = (a, b) if epoch % 2 == 0 else (b, a)
            successor = standing("lobby", old.name, "successor", epoch=epoch - 1, to_epoch=epoch)
            direct_to(pair, old, epoch - 1)
            assert new.assign(successor) == 200
            until_role(new, "owner", epoch)
            assert new.assign(owned("lobby", new.name, epoch=epoch)) == 200
            until_former(old)
            assert old.assign() == 200
            ana.restart_ice(new)
            ana.nominate(ana.ice.candidates[0])
            until_heard(ana, HZ)
            until_heard(gateway, OTHER_HZ)
        for leg in (ana, gateway):
            found = passage(since(leg, begun))
            print(f"four moves, {type(leg).__name__}: {found}")
            assert (found.lost, found.repeated, found.streams) == (0, 0, 1)
        ana.no_index_came_twice()
        assert ana.handshakes == 1


def test_to_and_fro_with_the_other_one_for_a_twin(twins: list[Pod]) -> None:
    """As the operator has it: who was the owner stands by at once."""
    with gathering(twins[0]) as lobby:
        ana, gateway = callers(lobby)
        for epoch in range(2, 5):
            old, new = twins if epoch % 2 == 0 else reversed(twins)
            successor = standing("lobby", old.name, "successor", epoch=epoch - 1, to_epoch=epoch)
            begun = now_ns()
            assert new.assign(successor) == 200
            until_role(new, "owner", epoch)
            direct_to(twins, new, epoch)
            assert new.assign(owned("lobby", new.name, epoch=epoch, twin=old.name)) == 200
            assert old.assign(standing("lobby", new.name, "twin", epoch=epoch)) == 200
            old.until(lambda pod=old: entry(pod).get("prepared", False), "it does not follow")
            gateway.target = ("127.0.0.1", new._udp)
            until_heard(ana, HZ)
            until_heard(gateway, OTHER_HZ)
            found = passage(since(gateway, begun))
            print(f"move {epoch}: {found}")
            assert (found.lost, found.streams) == (0, 1)
        ana.no_index_came_twice()


def until_former(pod: Pod) -> None:
    pod.until(lambda: entry(pod).get("role") in ("former", None), "it has not stopped")


@pytest.mark.timing
def test_a_stalled_owner_is_taken_over_when_it_does_not_say_that_it_has_stopped(
    pair: list[Pod],
) -> None:
    a, b = pair
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        media = a.pids()["voiceroom-media"]
        begun = now_ns()
        os.kill(media, signal.SIGSTOP)
        try:
            assert b.assign(standing("lobby", "a", "successor", to_epoch=3)) == 200
            until_role(b, "owner", 3)
        finally:
            os.kill(media, signal.SIGCONT)
        until_role(a, "former", 1)
        back = now_ns()
        until_heard(ana, HZ)
        until_heard(gateway, OTHER_HZ)
        for leg in (ana, gateway):
            found = passage(since(leg, begun))
            print(f"stalled, {type(leg).__name__}: {found}")
            assert found.gap_ms < 1_200
            assert passage(since(leg, back + 500_000_000)).streams == 1
        ana.no_index_came_twice()


def test_the_new_pods_media_may_die_too(pair: list[Pod]) -> None:
    a, b = pair
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        assert b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
        until_role(b, "owner", 2)
        os.kill(b.pids()["voiceroom-media"], signal.SIGKILL)
        ana.wait_packets(100)
        until_heard(ana, HZ)
        until_heard(gateway, OTHER_HZ)
        os.kill(b.pids()["voiceroom-control"], signal.SIGKILL)
        b.until_ready()
        assert entry(b)["role"] == "owner"
        until_heard(ana, HZ)
        until_heard(gateway, OTHER_HZ)
        os.kill(a.pids()["voiceroom-media"], signal.SIGKILL)
        os.kill(a.pids()["voiceroom-control"], signal.SIGKILL)
        a.until_ready()
        ana.wait_packets(100)
        until_heard(gateway, OTHER_HZ)
        assert entry(a)["role"] == "former"
        ana.no_index_came_twice()


def test_a_pod_that_gets_a_room_back_begins_anew(pair: list[Pod]) -> None:
    a, b = pair
    with gathering(a) as lobby:
        ana, gateway = callers(lobby)
        assert b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
        until_role(b, "owner", 2)
        until_former(a)
        begun = now_ns()
        b.process.kill()
        direct_to([a], a, 3)
        assert a.assign(owned("lobby", "a", epoch=3)) == 200
        until_role(a, "owner", 3)
        until_heard(ana, HZ)
        until_heard(gateway, OTHER_HZ)
        for leg in (ana, gateway):
            assert passage(since(leg, begun)).streams == 2, "never again under the old SSRC"
        ana.no_index_came_twice()
