"""The door touches mixers of pools on its own node, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.nodes import TARGET, mixer_pod
from voiceroom_chaosdoor import target
from voiceroom_chaosdoor.refusal import Refused


def test_a_mixer_on_this_node_is_taken() -> None:
    assert target.read(mixer_pod(), "here") == TARGET


def without(label: str) -> dict[str, Any]:
    pod = mixer_pod()
    del pod["metadata"]["labels"][label]
    return pod


def ended() -> dict[str, Any]:
    pod = mixer_pod()
    pod["status"]["containerStatuses"][0]["state"] = {"terminated": {}}
    return pod


FOREIGN = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": True}


@pytest.mark.parametrize(
    ("pod", "error", "words"),
    [
        (mixer_pod(node="there"), "not_here", "stage-0 is on there, and this door on here"),
        (mixer_pod(node=""), "not_here", "is on no node yet"),
        (mixer_pod(labels=None), "not_a_mixer", "stage-0 is no mixer of a voiceroom pool"),
        (without("voiceroom.dev/pool"), "not_a_mixer", "no mixer"),
        (without("app.kubernetes.io/component"), "not_a_mixer", "no mixer"),
        (mixer_pod(ownerReferences=[]), "not_a_mixer", "no mixer"),
        (mixer_pod(ownerReferences=[FOREIGN]), "not_a_mixer", "no mixer"),
        (ended(), "not_running", "does not run"),
        (mixer_pod() | {"status": {}}, "not_running", "does not run"),
    ],
)
def test_no_other_pod_is(pod: dict[str, Any], error: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        target.read(pod, "here")
    assert caught.value.error == error
    assert words in caught.value.message
