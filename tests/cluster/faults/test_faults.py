"""Faults on a real cluster: rooms that can live do, the status tells the truth, nothing is left."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.listening import goes_on, until_heard
from harness.party import Party
from harness.rtp import RtpLeg
from harness.rundelay import watching_for_starvation
from harness.voice import PodDoor, Voice, room, until
from localcluster.cluster import Cluster
from localcluster.own import Own

pytestmark = pytest.mark.timeout(300)
ADA_HZ = 620.0
TRUTH_S = 5.0
AWAY_S = 60
PATIENT = {"jitterBuffer": {"minMs": 120, "maxMs": 200}}


@pytest.fixture
def lobby(shared: Voice) -> Voice:
    """A room that is Ready, and patient with senders; one for all tests that leave it alone."""
    shared.room("lobby", audio=PATIENT)
    shared.ready("lobby")
    return shared


@pytest.fixture
def call(lobby: Voice) -> Iterator[tuple[Party[PodDoor], RtpLeg]]:
    """Ada speaks, and Bob hears her."""
    with lobby.people("lobby") as party, watching_for_starvation(lobby):
        party.join(ADA_HZ, "ada", host=lobby.here)
        bob = party.join(None, "bob", host=lobby.here)
        until_heard(bob, ADA_HZ)
        yield party, bob


def leader(cluster: Cluster | Own) -> str:
    """The pod of the operator that holds the Lease."""
    get = (
        "-n",
        "voiceroom",
        "get",
        "lease",
        "voiceroom-operator",
        "-o",
        "jsonpath={.spec.holderIdentity}",
    )
    return cluster.kubectl(*get).partition("_")[0]


def test_the_leader_killed_in_a_burst_of_rooms_leaves_nothing_half_done(voice: Voice) -> None:
    names = [f"room-{n}" for n in range(12)]
    for name in names[:6]:
        voice.room(name)
    dead = leader(voice.cluster)
    voice.cluster.kubectl(
        "-n", "voiceroom", "delete", "pod", dead, "--grace-period=0", "--force", "--wait=false"
    )
    for name in names[6:]:
        voice.room(name)
    voice.ready(*names)
    until(lambda: leader(voice.cluster) != dead, 30, "another leads")
    held = {name: _holders(voice, name) for name in names}
    assert held == {name: [voice.owner(name)] for name in names}


def _holders(voice: Voice, name: str) -> list[str]:
    """Pods that run it, by their own word."""
    doors = {pod: voice.door(name, pod) for pod in voice.pods()}
    listed = {
        pod: door.call("GET", "/rooms", door.sign("admin", name))[1] for pod, door in doors.items()
    }
    return [pod for pod, rooms in listed.items() if name in str(rooms)]


@pytest.mark.timing
def test_a_call_goes_on_while_the_api_server_is_away(
    lobby: Voice, call: tuple[Party[PodDoor], RtpLeg]
) -> None:
    party, bob = call
    server = lobby.machine.processes.named("kube-apiserver")
    at, here = len(bob.heard), lobby.here
    server.send(signal.SIGSTOP)
    try:
        bob.wait_packets(AWAY_S * 50, timeout_s=AWAY_S + 30)
        party.join(None, "late", host=here)
    finally:
        server.send(signal.SIGCONT)
    goes_on(bob, at, ADA_HZ)
    lobby.room("after", audio=PATIENT)
    lobby.ready("after", within_s=60)
    assert lobby.owner("lobby")


def test_a_pod_deleted_by_hand_is_replaced_and_its_room_comes_back(lobby: Voice) -> None:
    pod, before = lobby.owner("lobby"), lobby.uids()
    lobby.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    until(lambda: lobby.status("lobby").get("phase") != "Ready", TRUTH_S, "the truth")
    lobby.ready("lobby")
    assert before[pod] not in lobby.uids().values()
    with lobby.people("lobby") as party:
        ada = party.join(ADA_HZ, "ada", host=lobby.here)
        ada.wait_packets(5)


@pytest.mark.timing
def test_a_room_lives_on_a_node_whose_kubelet_is_silent(
    lobby: Voice, call: tuple[Party[PodDoor], RtpLeg]
) -> None:
    _, bob = call
    pod, node = lobby.owner("lobby"), lobby.status("lobby")["nodeName"]
    kubelet = lobby.machine.processes.named(f"kubelet-{node.rpartition('-')[2]}")
    at = len(bob.heard)
    kubelet.send(signal.SIGSTOP)
    try:
        until(lambda: not _is_ready(lobby, node), 90, "the node is NotReady")
        # its node is not Ready, so neither is the pod, and nobody else is sent there
        until(lambda: lobby.status("lobby")["phase"] == "Degraded", 30, "the truth")
        assert lobby.owner("lobby") == pod
        bob.wait_packets(50)
    finally:
        kubelet.send(signal.SIGCONT)
        until(lambda: _is_ready(lobby, node), 60, "the node is back")
    goes_on(bob, at, ADA_HZ)


def _is_ready(voice: Voice, node: str) -> bool:
    got = voice.get("node", node)["status"]["conditions"]
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in got)


def test_a_pool_deleted_with_live_rooms_goes_when_its_pods_have(voice: Voice) -> None:
    voice.pool("mine", drain={"deadline": "2s"})
    voice.room("lobby", poolName="mine")
    voice.ready("lobby")
    with voice.people("lobby") as party:
        party.join(ADA_HZ, "ada", host=voice.here).wait_packets(5)
        voice.kubectl("delete", "mixerpool", "mine", "--wait=false")
        said = voice.reads("voiceroom", "lobby", "Ready", "False", "PoolNotFound")
        assert "mine" in said
    until(lambda: not voice.all("mixerpools"), 60, "the finalizer is released")
    assert not voice.pods("mine")
    left = voice.all("services,secrets,poddisruptionbudgets", "voiceroom.dev/pool=mine")
    until(lambda: not voice.all("services,secrets,pdb", "voiceroom.dev/pool=mine"), 30, str(left))


def test_a_room_applied_a_hundred_times_is_one_room(lobby: Voice) -> None:
    before = lobby.get("voiceroom", "lobby")["metadata"]
    uids = lobby.uids()
    again = room("lobby", audio=PATIENT)
    assert lobby.apply(*[again] * 100).count("\n") == 100
    after = lobby.get("voiceroom", "lobby")["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])
    assert lobby.uids() == uids
    assert lobby.is_ready("lobby")


def test_a_namespace_deleted_in_the_middle_leaves_nothing(installed: Cluster | Own) -> None:
    name = "goes-away"
    installed.kubectl("create", "namespace", name)
    voice = Voice(installed, name, ExitStack())
    for number in range(10):
        voice.room(f"room-{number}")
    installed.kubectl("delete", "namespace", name, "--timeout=120s")
    kinds = "pods,services,secrets,voicerooms,mixerpools"
    assert name not in installed.kubectl("get", kinds, "-A")


def test_two_replicas_act_as_one(installed: Cluster | Own, lobby: Voice) -> None:
    replicas = installed.kubectl(
        "-n", "voiceroom", "get", "pods", "-o", "jsonpath={.items[*].status.phase}"
    )
    assert replicas.split().count("Running") >= 2
    desired = lobby.get("mixerpool", "default")["status"]["pods"]["desired"]
    assert len(lobby.pods()) == desired, "neither has made pods of its own"
    assert _holders(lobby, "lobby") == [lobby.owner("lobby")]


@pytest.mark.timing
def test_helm_upgrade_of_the_operator_is_not_heard(
    lobby: Voice, call: tuple[Party[PodDoor], RtpLeg]
) -> None:
    _, bob = call
    at, uids = len(bob.heard), lobby.uids()
    lobby.cluster.kubectl("-n", "voiceroom", "rollout", "restart", "deployment/voiceroom-operator")
    wait = ("rollout", "status", "deployment/voiceroom-operator", "--timeout=120s")
    lobby.cluster.kubectl("-n", "voiceroom", *wait)
    bob.wait_packets(50)
    goes_on(bob, at, ADA_HZ)
    assert lobby.uids() == uids
    lobby.room("another")
    lobby.ready("another")
