"""The operator's documents: what is taken, and which field is named when it is not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_mixer.config import IceServer, Limits
from voiceroom_mixer.control.admin import assignment, directory
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.defend.urgency import Weights

ROOM: dict[str, Any] = {
    "name": "lobby",
    "uid": "u-1",
    "epoch": 3,
    "role": "owner",
    "twin": "voiceroom-default-2",
    "spec": VoiceRoomSpec().to_dict(),
    "pinHash": "salt:abcdef",
    "iceServers": [
        {"urls": ["stun:s.example"]},
        {"urls": ["turn:t.example", "turns:t.example"], "username": "u", "credential": "p"},
    ],
}
WHOLE: dict[str, Any] = {
    "term": 4,
    "generation": 9,
    "limits": {"rooms": 10, "participants": 50},
    "advertise": ["192.0.2.1", "2001:db8::1", "192.0.2.1"],
    "scheduling": {"alpha": 1, "beta": 0.25, "baseRate": 16_000, "deadlineMs": 4},
    "rooms": [ROOM],
}
PLACE = {"pod": "voiceroom-default-2", "address": "10.0.0.2:8443", "epoch": 1}


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at ``a.b.0.c``."""
    copy = deepcopy(document)
    *steps, last = path.split(".")
    at: Any = copy
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return copy


def refused(path: str, value: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        assignment.read(changed(WHOLE, path, value))
    assert caught.value.status == 422
    return caught.value


def test_an_assignment_whole() -> None:
    found = assignment.read(WHOLE)
    assert (found.term, found.generation) == (4, 9)
    assert found.limits == Limits(10, 50)
    assert found.weights == Weights(1.0, 0.25, 16_000, 4 * NS_PER_MS)
    assert found.advertise == ("192.0.2.1", "2001:db8::1")
    (seat,) = found.seats
    assert (seat.name, seat.role, seat.other) == ("lobby", "owner", "voiceroom-default-2")
    assert (seat.room["uid"], seat.room["epoch"]) == ("u-1", 3)
    assert seat.room["iceServers"] == (
        IceServer("stun:s.example"),
        IceServer("turn:t.example", "u", "p"),
        IceServer("turns:t.example", "u", "p"),
    )
    assert found.owned() == (seat.room,)


def test_a_twin_is_no_room_that_is_run() -> None:
    twin = ROOM | {"role": "twin", "owner": "voiceroom-default-7"}
    found = assignment.read(changed(WHOLE, "rooms.0", twin))
    assert found.owned() == ()
    assert found.seats[0].other == "voiceroom-default-7"


def test_what_a_later_operator_says_is_passed_over() -> None:
    spec = ROOM["spec"] | {"weather": 1, "audio": ROOM["spec"]["audio"] | {"depth": 3}}
    later = changed(WHOLE, "rooms.0", ROOM | {"spec": spec, "mood": "good"}) | {"more": []}
    assert assignment.read(later).seats[0].room == assignment.read(WHOLE).seats[0].room


def test_defaults_are_filled_in() -> None:
    bare = {"name": "lobby", "uid": "u", "epoch": 1, "role": "owner", "spec": {}}
    found = assignment.read({"term": 0, "generation": 1, "rooms": [bare]})
    assert found.limits == Limits()
    assert found.weights == Weights()
    assert found.seats[0].room["spec"] == VoiceRoomSpec().to_dict()
    assert "iceServers" not in found.seats[0].room


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("term", -1, "term"),
        ("term", True, "term"),
        ("term", None, "term"),
        ("generation", 0, "generation"),
        ("generation", 1 << 60, "generation"),
        ("rooms", {}, "rooms"),
        ("rooms", None, "rooms"),
        ("rooms", [ROOM] * 2001, "rooms"),
        ("rooms", [ROOM, ROOM], "rooms[1].name"),
        ("rooms.0", 7, "rooms[0]"),
        ("rooms.0.name", "Lobby", "rooms[0].name"),
        ("rooms.0.name", "../etc", "rooms[0].name"),
        ("rooms.0.uid", "", "rooms[0].uid"),
        ("rooms.0.epoch", 0, "rooms[0].epoch"),
        ("rooms.0.epoch", 1.5, "rooms[0].epoch"),
        ("rooms.0.role", "guest", "rooms[0].role"),
        ("rooms.0.twin", "a\nb", "rooms[0].twin"),
        ("rooms.0.spec", [], "rooms[0].spec"),
        ("rooms.0.spec.audio.talkers", 17, "rooms[0].spec.audio.talkers"),
        ("rooms.0.spec.audio.frameMs", 15, "rooms[0].spec.audio.frameMs"),
        ("rooms.0.spec.audio.jitterBuffer.minMs", 300, "rooms[0].spec.audio.jitterBuffer"),
        ("rooms.0.spec.maxParticipants", 0, "rooms[0].spec.maxParticipants"),
        ("rooms.0.pinHash", "1234", "rooms[0].pinHash"),
        ("rooms.0.pinHash", 1234, "rooms[0].pinHash"),
        ("rooms.0.iceServers", {}, "rooms[0].iceServers"),
        ("rooms.0.iceServers.0.urls", "stun:s", "rooms[0].iceServers[0].urls"),
        ("rooms.0.iceServers.1.urls.0", "http://x", "rooms[0].iceServers[1].urls[0]"),
        ("rooms.0.iceServers.1.urls.0", "turn:x>y", "rooms[0].iceServers[1].urls[0]"),
        ("rooms.0.iceServers.1.username", "a\r\nb", "rooms[0].iceServers[1].username"),
        ("limits", [], "limits"),
        ("limits.rooms", 0, "limits.rooms"),
        ("limits.participants", 5001, "limits.participants"),
        ("scheduling", 7, "scheduling"),
        ("scheduling", {"alpha": 0, "beta": 0}, "scheduling"),
        ("scheduling.alpha", 1.5, "scheduling.alpha"),
        ("scheduling.alpha", float("nan"), "scheduling.alpha"),
        ("scheduling.beta", True, "scheduling.beta"),
        ("scheduling.baseRate", 0, "scheduling.baseRate"),
        ("scheduling.deadlineMs", 41, "scheduling.deadlineMs"),
        ("advertise", "192.0.2.1", "advertise"),
        ("advertise", ["0.0.0.0"], "advertise[0]"),
        ("advertise", ["node.example"], "advertise[0]"),
        ("advertise", ["192.0.2.1"] * 17, "advertise"),
    ],
)
def test_what_is_wrong_is_named(path: str, value: Any, field: str) -> None:
    error = refused(path, value)
    assert error.field is not None
    assert error.field.startswith(field)
    assert error.message.startswith(error.field)


def test_a_pod_runs_a_thousand_rooms_and_no_more() -> None:
    rooms = [ROOM | {"name": f"room-{n}"} for n in range(1001)]
    assert refused("rooms", rooms).field == "rooms"
    assert len(assignment.read(changed(WHOLE, "rooms", rooms[:1000])).owned()) == 1000


def test_what_is_as_before_is_not_read_again() -> None:
    before = assignment.read(WHOLE)
    after = assignment.read(changed(WHOLE, "generation", 10), before)
    assert after.seats[0] is before.seats[0]
    other = assignment.read(changed(WHOLE, "rooms.0.epoch", 4), before)
    assert other.seats[0].room["epoch"] == 4


def test_a_directory_whole_and_a_delta() -> None:
    whole = {"term": 1, "from": 0, "to": 5, "set": {"a": PLACE, "b": PLACE}, "gone": []}
    known = directory.Directory().after(directory.read(whole))
    assert (known.term, known.number, set(known.places)) == (1, 5, {"a", "b"})
    moved = PLACE | {"address": "[2001:db8::7]:8443"}
    delta = directory.read({"term": 1, "from": 5, "to": 7, "set": {"c": moved}, "gone": ["a"]})
    assert known.fits(delta)
    after = known.after(delta)
    assert (after.number, set(after.places)) == (7, {"b", "c"})
    assert after.places["c"].address == "[2001:db8::7]:8443"
    assert directory.Directory().after(directory.read(after.whole())) == after


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"term": None}, "term"),
        ({"from": -1}, "from"),
        ({"to": 1}, "to"),
        ({"set": []}, "set"),
        ({"set": {"A": PLACE}}, "set.A"),
        ({"set": {"a": 5}}, "set.a"),
        ({"set": {"a": PLACE | {"pod": ""}}}, "set.a.pod"),
        ({"set": {"a": PLACE | {"address": "10.0.0.2"}}}, "set.a.address"),
        ({"set": {"a": PLACE | {"address": "10.0.0.2:99999"}}}, "set.a.address"),
        ({"set": {"a": PLACE | {"address": "evil/path:80"}}}, "set.a.address"),
        ({"set": {"a": PLACE | {"epoch": -1}}}, "set.a.epoch"),
        ({"gone": "a"}, "gone"),
        ({"gone": [7]}, "gone[0]"),
    ],
)
def test_a_wrong_directory_is_named(change: dict[str, Any], field: str) -> None:
    document = {"term": 1, "from": 2, "to": 3, "set": {}, "gone": []} | change
    with pytest.raises(ApiError) as caught:
        directory.read(document)
    assert (caught.value.status, caught.value.field) == (422, field)
