"""``move``, as a person types it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.kubecluster import FakeCluster, room
from fakes.typed import Time, Typed
from voiceroom_api import names
from voiceroom_kubectl.cluster import NotFound


@pytest.fixture
def typed() -> Typed:
    return Typed(FakeCluster().add(room("lobby")))


def asked(typed: Typed) -> dict[str, Any]:
    notes = typed.cluster.room("default", "lobby")["metadata"]["annotations"]
    found: dict[str, Any] = json.loads(notes[names.MOVE_ANNOTATION])
    return found


def answers(typed: Typed, **said: Any) -> None:
    """What the operator writes at the first look."""

    def write() -> None:
        request = {"id": asked(typed)["id"]} | said
        patch = {"status": {"moves": {"request": request}}}
        typed.cluster.patch_room("default", "lobby", patch)

    typed.time = Time(at_sleep=write)


def test_it_asks_and_says_so(typed: Typed) -> None:
    assert typed.run("move", "lobby", "--to", "node-2", "--why", "the fan is loud") == 0
    said = asked(typed)
    assert (said["to"], said["why"]) == ("node-2", "the fan is loud")
    assert said["id"] in typed.out
    assert typed.run("move", "lobby") == 0
    assert "to" not in asked(typed)
    assert asked(typed)["id"] != said["id"]


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"state": "Done", "to": "voiceroom-default-1"}, 0, "is in the pod voiceroom-default-1"),
        ({"state": "Refused", "message": "no such node"}, 1, "is not moved: no such node"),
        ({"state": "Failed", "message": "the pod died"}, 1, "was not moved: the pod died"),
        ({"state": "Waiting", "message": "3 are in"}, 1, "waits: 3 are in"),
        ({"state": "Moving", "to": "p"}, 1, "on its way to the pod p"),
        ({"id": "another", "state": "Done"}, 1, "has not answered"),
    ],
)
def test_it_waits_for_the_answer(typed: Typed, said: dict[str, Any], code: int, words: str) -> None:
    answers(typed, **said)
    assert typed.run("move", "lobby", "--wait", "--timeout", "5s") == code
    assert words in typed.out + typed.err
    assert bool(typed.out) == (code == 0)


def test_a_room_that_is_not_there(typed: Typed) -> None:
    with pytest.raises(NotFound):
        typed.run("move", "attic")


@pytest.mark.parametrize("words", [("--to", "Node 2"), ("--why", ""), ("--timeout", "0s")])
def test_a_wrong_command_line_is_refused(typed: Typed, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        typed.run("move", "lobby", *words)
