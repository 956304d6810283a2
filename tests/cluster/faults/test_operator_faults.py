"""A real operator, a real cluster, and an API server that misbehaves between them.

The operator is a process of this machine, and alone in its namespaces: the installed one rests.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness.apiproxy import ApiProxy, Call
from harness.operators import (
    LocalOperator,
    at_work,
    begin_anew,
    die_after,
    empty,
    local_operator,
)
from harness.voice import Voice, namespace, until
from harness.wallstep import WallClock
from localcluster.cluster import Cluster

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
STEPS = 8
"""Writes of a room's first minute, after each of which the operator is killed once."""


def is_sound(voice: Voice, room: str) -> None:
    """One of everything, and the room where the status says."""
    assert sorted(voice.pods()) == [voice.owner(room)]
    assert len(voice.all("services", "voiceroom.dev/pool=default")) == 1
    assert len(voice.all("poddisruptionbudgets")) == 1
    door = voice.door(room)
    code, said, _ = door.call("GET", f"/rooms/{room}", door.sign("listener", room))
    assert (code, said) == (200, said)


def test_an_operator_killed_after_each_of_its_writes_leaves_nothing_half_done(
    machine_cluster: Cluster, proxy: ApiProxy, image: str, tmp_path: Path
) -> None:
    with at_work(machine_cluster, proxy, image, tmp_path, "killed-each-step") as (voice, operator):
        for step in range(1, STEPS + 1):
            die_after(proxy, operator, step)
            voice.room("lobby")
            _wait_dead_or_ready(voice, operator)
            begin_anew(proxy, operator, voice)
            voice.ready("lobby")
            is_sound(voice, "lobby")
            voice.kubectl("delete", "voiceroom", "lobby")
            if step < STEPS // 2:  # the pool anew as well
                empty(voice)


def _wait_dead_or_ready(voice: Voice, operator: LocalOperator) -> None:
    def holds() -> bool:
        assert operator.process is not None
        return operator.process.poll() is not None or voice.is_ready("lobby")

    until(holds, 90, "killed, or done before it came to that")


@pytest.mark.parametrize("status", [429, 503])
def test_every_third_call_refused_only_costs_time(
    machine_cluster: Cluster, proxy: ApiProxy, image: str, tmp_path: Path, status: int
) -> None:
    chance, refused = random.Random(20_478), 0

    def before(call: Call) -> int:
        nonlocal refused
        if "/leases" in call.path or chance.random() > 1 / 3:
            return 0
        refused += 1
        return status

    with at_work(machine_cluster, proxy, image, tmp_path, f"refused-{status}") as (voice, operator):
        proxy.before = before
        voice.room("lobby")
        voice.ready("lobby")
        assert operator.health() == 200
        proxy.before = lambda _: 0
        assert refused > 3
        is_sound(voice, "lobby")


def test_watch_streams_that_are_cut_again_and_again_lose_nothing(
    machine_cluster: Cluster, proxy: ApiProxy, image: str, tmp_path: Path
) -> None:
    with at_work(machine_cluster, proxy, image, tmp_path, "cut-streams") as (voice, operator):
        cut = 0
        for number in range(5):
            cut += proxy.cut_streams()
            voice.room(f"room-{number}")
            voice.ready(f"room-{number}")
        assert cut >= 5
        assert operator.health() == 200


def test_a_wall_clock_that_jumps_changes_nothing(
    machine_cluster: Cluster, proxy: ApiProxy, image: str, tmp_path: Path
) -> None:
    wall = WallClock(tmp_path)
    try:
        with namespace(machine_cluster, "clock-jumps") as voice:
            made = LocalOperator(proxy.kubeconfig, voice.namespace, image, tmp_path, wall.environ())
            with local_operator(made) as operator:
                operator.until_ready()
                voice.room("lobby")
                voice.ready("lobby")
                uids = voice.uids()
                for offset_s in (3600, -3600, 86_400 * 400, 0):
                    wall.step_to(offset_s)
                    voice.room(f"after-{abs(offset_s)}-{offset_s < 0}".lower())
                    voice.ready(f"after-{abs(offset_s)}-{offset_s < 0}".lower())
                    assert operator.health() == 200
                assert voice.uids().items() >= uids.items()
                empty(voice)
    finally:
        wall.close()


def test_two_operators_that_both_believe_to_lead_do_no_harm(
    machine_cluster: Cluster, proxy: ApiProxy, image: str, tmp_path: Path
) -> None:
    with at_work(machine_cluster, proxy, image, tmp_path, "two-leaders") as (voice, _):
        other = LocalOperator(
            machine_cluster.kubeconfig, voice.namespace, image, tmp_path, lease="another-lease"
        )
        with local_operator(other):
            other.until_ready()
            for number in range(4):
                voice.room(f"room-{number}")
            voice.ready(*(f"room-{number}" for number in range(4)))
            is_sound(voice, "room-0")
