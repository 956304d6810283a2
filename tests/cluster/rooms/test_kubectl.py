"""What kubectl and its plugin show of rooms and pools."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.voice import Voice, until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module", autouse=True)
def _lobby(shared: Voice) -> None:
    """A room, and the pool `default` that came with it."""
    shared.room("lobby")
    shared.ready("lobby")


def plugin(voice: Voice, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`kubectl voiceroom ...`"""
    at = (f"--kubeconfig={voice.cluster.kubeconfig}", f"--namespace={voice.namespace}")
    command = [sys.executable, "-m", "voiceroom_kubectl", arguments[0], *at, *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def heads_and_row(text: str) -> dict[str, str]:
    """A table with one row, by its heads."""
    heads, row = text.splitlines()
    starts = [heads.index(head) for head in heads.split()]
    ends = [*starts[1:], None]
    return {
        heads[begin:end].strip(): row[begin:end].strip()
        for begin, end in zip(starts, ends, strict=True)
    }


def test_get_vr_tells_an_sre_what_to_know(shared: Voice) -> None:
    row = heads_and_row(shared.kubectl("get", "vr"))
    assert (row["NAME"], row["PHASE"]) == ("lobby", "Ready")
    assert row["POD"].startswith("voiceroom-default-")
    assert row["NODE"] in ("node-1", "node-2")
    assert row["PARTICIPANTS"] == "0"
    assert {"P99MS", "AGE"} <= set(row)


def test_get_mxp_tells_an_sre_what_to_know(shared: Voice) -> None:
    until(lambda: shared.get("mxp", "default").get("status", {}).get("rooms") == 1, 15, "counted")
    row = heads_and_row(shared.kubectl("get", "mxp"))
    assert row["NAME"] == "default"
    assert shared.get("mxp", "default")["metadata"]["labels"]["voiceroom.dev/auto"] == "true"


def test_explain_reads_like_documentation(shared: Voice) -> None:
    said = shared.kubectl("explain", "vr.spec.audio.jitterBuffer.minMs")
    assert "milliseconds" in said.lower() or "ms" in said
    assert "DESCRIPTION" in said
    assert "<empty>" not in shared.kubectl("explain", "mxp.spec", "--recursive=false")


def test_the_pool_can_be_scaled(shared: Voice) -> None:
    shared.kubectl("scale", "mxp/default", "--replicas=2")
    assert shared.get("mxp", "default")["spec"]["size"]["min"] == 2
    shared.kubectl("scale", "mxp/default", "--replicas=1")


def test_the_plugin_lists_and_tells_the_story(shared: Voice) -> None:
    rooms = plugin(shared, "rooms", "-o", "json")
    assert [room["metadata"]["name"] for room in json.loads(rooms.stdout)["items"]] == ["lobby"]
    assert "default" in plugin(shared, "pools").stdout
    story = plugin(shared, "describe", "lobby").stdout
    assert shared.owner("lobby") in story
    assert plugin(shared, "describe", "nobody").returncode == 1


def test_top_shows_how_late_each_pod_is(shared: Voice) -> None:
    done = plugin(shared, "top", "-o", "json")
    loads = json.loads(done.stdout)["items"]
    assert {load["pod"] for load in loads} == set(shared.pods())
    assert done.returncode == 0, done.stderr


def test_check_joins_with_two_clients_that_hear_each_other(shared: Voice) -> None:
    done = plugin(shared, "check", "lobby")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_token_of_the_plugin_lets_in(shared: Voice) -> None:
    token = plugin(shared, "token", "lobby", "--role", "moderator").stdout.strip()
    door = shared.door("lobby")
    assert door.call("PATCH", "/rooms/lobby", token, {"locked": True})[0] == 200
    assert door.call("PATCH", "/rooms/lobby", token, {"locked": False})[0] == 200
