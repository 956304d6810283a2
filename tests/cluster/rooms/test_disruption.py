"""Drains, evictions and roll-outs: who is in a room is not thrown out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.listening import AUDIBLE_DB, WARM_UP, WHOLE_DB, gaps, loudness, until_heard
from harness.rtp import RtpLeg
from harness.rundelay import watching_for_starvation
from harness.voice import Voice, until
from localcluster.failure import ClusterError

pytestmark = pytest.mark.timeout(300)
ADA_HZ = 620.0
MOST_DIPPED = 10
"""Spans of 100 ms, one begun each 20 ms: 60 ms of concealment touch seven."""
SOON = {"deadline": "15s"}
PATIENT = {"jitterBuffer": {"minMs": 120, "maxMs": 200}}
"""Absorbs what a busy machine does to a sender's pace, so that a gap is the mixer's own."""
AMPLE = {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "400m"}}
"""A pod that asks for little has little beside others; one that asks for all finds no node here."""


@contextmanager
def cordoned(voice: Voice, node: str) -> Iterator[None]:
    """The node takes no new pods."""
    voice.kubectl("cordon", node)
    try:
        yield
    finally:
        voice.kubectl("uncordon", node)


def evict(voice: Voice, pod: str) -> str:
    """By the API that `kubectl drain` and autoscalers use. Raises: ClusterError (429)."""
    path = f"/api/v1/namespaces/{voice.namespace}/pods/{pod}/eviction"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": voice.namespace},
    }
    return voice.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def two_in(voice: Voice, **spec: Any) -> None:
    """A room whose pool has two pods."""
    voice.pool("default", size={"min": 2, "max": 3, "spare": 0}, drain=SOON, **spec)
    voice.room("lobby", audio=PATIENT)
    voice.ready("lobby")
    until(lambda: len(voice.pods()) == 2, 60, "two pods")
    for pod in voice.pods():
        voice.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=60s")


def test_a_pod_with_a_room_is_not_evicted_and_an_idle_one_is(voice: Voice) -> None:
    two_in(voice)
    owner = voice.owner("lobby")
    (idle,) = set(voice.pods()) - {owner}
    labels = {name: pod["metadata"]["labels"] for name, pod in voice.pods().items()}
    assert labels[owner]["voiceroom.dev/occupied"] == "true"
    assert labels[idle]["voiceroom.dev/occupied"] == "false"
    with pytest.raises(ClusterError, match="disruption budget"):
        evict(voice, owner)
    before = voice.uids()[idle]
    evict(voice, idle)
    until(lambda: before not in voice.uids().values() and len(voice.pods()) == 2, 60, "replaced")
    assert voice.owner("lobby") == owner


@pytest.mark.timing
def test_the_drain_of_a_node_under_a_live_call_is_not_heard(voice: Voice) -> None:
    two_in(voice, resources=AMPLE)
    pod = voice.get("pod", voice.owner("lobby"))
    node, uid = pod["spec"]["nodeName"], pod["metadata"]["uid"]
    with voice.people("lobby") as party, watching_for_starvation(voice):
        ada = party.join(ADA_HZ, "ada", host=voice.here)
        bob = party.join(None, "bob", host=voice.here)
        until_heard(bob, ADA_HZ)
        at = len(bob.heard)
        with cordoned(voice, node):
            until(lambda: voice.status("lobby")["nodeName"] != node, 15, "the room has moved")
            ada.target = bob.target = media(voice)
            said = drained(voice, node)
            bob.wait_packets(100)
        nothing_is_missing(bob, at, ADA_HZ)
    assert f"node/{node} drained" in said
    until(lambda: voice.uids().get(pod["metadata"]["name"]) != uid, 30, "the pod has gone")
    status = voice.status("lobby")
    assert status["nodeName"] != node
    assert (status["moves"]["count"], status["moves"]["last"]["lostFrames"]) == (1, 0)


def nothing_is_missing(leg: RtpLeg, begun: int, hz: float) -> None:
    """No frame since packet ``begun``; the speaker, who changes his way in mid-word, is concealed
    for a moment at the most."""
    packets = leg.heard[begun - WARM_UP :]
    assert not gaps(packets)
    levels = loudness(packets, hz)
    dipped = [round(level) for level in levels if level < WHOLE_DB]
    assert len(dipped) <= MOST_DIPPED, dipped
    assert min(levels) > AUDIBLE_DB


def media(voice: Voice) -> tuple[str, int]:
    """Where gateways are to send, which the event `moved` tells them."""
    host, _, port = voice.status("lobby")["endpoint"]["udp"][0].rpartition(":")
    return host, int(port)


def drained(voice: Voice, node: str) -> str:
    """``kubectl drain``, which waits until nobody is in there any more; what it said."""
    options = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
    return voice.kubectl("drain", node, *options, "--pod-selector=voiceroom.dev/pool=default")


def test_a_roll_out_goes_on_without_cutting_a_room_with_nobody_in(voice: Voice) -> None:
    two_in(voice)
    before = set(voice.uids().values())
    wave = {"wave": "two"}
    voice.pool("default", size={"min": 2, "max": 3, "spare": 0}, drain=SOON, podLabels=wave)
    until(lambda: _rolled(voice, before), 150, "all pods are new")
    voice.ready("lobby")
    assert voice.status("lobby")["podName"] in voice.pods()


def _rolled(voice: Voice, before: set[str]) -> bool:
    pods = voice.pods().values()
    new = [pod for pod in pods if pod["metadata"]["labels"].get("wave") == "two"]
    return len(new) == 2 and not before & {pod["metadata"]["uid"] for pod in pods}


def test_shrinking_takes_idle_pods_only(voice: Voice) -> None:
    two_in(voice)
    owner = voice.owner("lobby")
    voice.pool("default", size={"min": 0, "max": 3, "spare": 0}, drain=SOON)
    until(lambda: list(voice.pods()) == [owner], 150, "the idle pod has gone")
    assert voice.owner("lobby") == owner
