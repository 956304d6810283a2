"""What pods are told: assignments, directories, addresses; and what their answers mean."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fakes.pools import bound, room
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.poolparts import Network
from voiceroom_operator.binding.addresses import PodAddresses, advertised
from voiceroom_operator.binding.answers import (
    Accepted,
    Answer,
    Refused,
    ResendWhole,
    StopLeading,
    TryAgain,
    read_answer,
)
from voiceroom_operator.binding.assignment import (
    MAX_PEERS,
    Assignment,
    RoomCard,
    next_assignment,
    pod_settings,
    seats,
    spread,
)
from voiceroom_operator.binding.directory import REMEMBERED, Directory, Place
from voiceroom_operator.observed import MoveSeen

CARD = RoomCard({"talkers": 3}, pin_hash="hash", ice_servers=({"urls": ["stun:s"]},))
SETTINGS = pod_settings(MixerPoolSpec(), ("192.0.2.7",))
ROOMS = [
    bound("b", 0, epoch=7, twin="voiceroom-p-1"),
    bound("a", 0),
    room("waits"),
    bound("ends", 0, deleting=True),
]


def test_a_pod_is_told_its_rooms_and_those_it_is_the_twin_of() -> None:
    taken = seats(ROOMS)
    assert {pod: [(s.room.name, s.role) for s in found] for pod, found in taken.items()} == {
        "voiceroom-p-0": [("a", "owner"), ("b", "owner")],
        "voiceroom-p-1": [("b", "twin")],
    }


def test_the_document_is_whole() -> None:
    taken = seats(ROOMS)
    cards = {"a": RoomCard({}), "b": CARD}
    owner = next_assignment(Assignment(), taken["voiceroom-p-0"], cards, SETTINGS)
    twin = next_assignment(Assignment(4), taken["voiceroom-p-1"], cards, SETTINGS)
    entry = {
        "name": "b",
        "uid": "uid-b",
        "epoch": 7,
        "spec": {"talkers": 3},
        "pinHash": "hash",
        "iceServers": [{"urls": ["stun:s"]}],
    }
    assert owner.to_dict(term=2) == {
        "term": 2,
        "generation": 1,
        "limits": {"rooms": 100, "participants": 500},
        "advertise": ["192.0.2.7"],
        "peers": [],
        "scheduling": {"alpha": 0.7, "beta": 0.3, "baseRate": 48_000, "deadlineMs": 9},
        "rooms": [
            {"name": "a", "uid": "uid-a", "epoch": 1, "role": "owner", "spec": {}},
            entry | {"role": "owner", "twin": "voiceroom-p-1"},
        ],
    }
    assert twin.to_dict(term=2)["rooms"] == [entry | {"role": "twin", "owner": "voiceroom-p-0"}]
    assert twin.generation == 5


def test_witnesses_are_few_and_on_as_many_nodes_as_there_are() -> None:
    nodes = {f"p-{n:02}": "abc"[n // 4] for n in range(12)}
    told = spread(nodes)
    assert told[:MAX_PEERS] == ["p-00", "p-04", "p-08", "p-01"]
    assert sorted(told) == sorted(nodes)
    settings = pod_settings(MixerPoolSpec(), (), tuple(told))
    assert settings["peers"] == told[:MAX_PEERS]


def test_a_successor_is_told_under_the_epoch_of_its_move() -> None:
    going = replace(ROOMS[0], move=MoveSeen("voiceroom-p-2", 9, "move-9"))
    taken = seats([going])
    entry = next_assignment(Assignment(), taken["voiceroom-p-2"], {"b": CARD}, SETTINGS)
    told = entry.to_dict(1)["rooms"][0]
    assert (told["role"], told["epoch"], told["owner"], told["move"]) == (
        "successor",
        9,
        "voiceroom-p-0",
        "move-9",
    )
    by_twin = seats([replace(ROOMS[0], move=MoveSeen("voiceroom-p-1", 8))])
    assert [seat.role for seat in by_twin["voiceroom-p-1"]] == ["successor"]


def test_the_generation_grows_with_each_change_and_only_then() -> None:
    taken = seats(ROOMS)["voiceroom-p-1"]
    first = next_assignment(Assignment(), taken, {"b": CARD}, SETTINGS)
    assert next_assignment(first, taken, {"b": CARD}, SETTINGS) is first
    changed = next_assignment(first, taken, {"b": RoomCard({"talkers": 4})}, SETTINGS)
    assert changed.generation == 2
    moved = next_assignment(changed, taken, {"b": RoomCard({"talkers": 4})}, {"advertise": []})
    assert moved.generation == 3
    assert next_assignment(moved, (), {}, {"advertise": []}).to_dict(1)["rooms"] == []


def test_even_a_pod_without_rooms_is_told_so_once() -> None:
    assert next_assignment(Assignment(), (), {}, {}).generation == 1


def place(pod: int) -> Place:
    return Place(f"voiceroom-p-{pod}", f"10.0.0.{pod}:8443", 1)


def learn(known: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """What a pod does with a document."""
    kept = {} if document["from"] == 0 else known
    places = {room: at for room, at in kept.items() if room not in document["gone"]}
    places.update(document["set"])
    return places


def test_a_directory_brings_every_pod_to_the_same_knowledge() -> None:
    directory = Directory()
    knowledge: list[tuple[int, dict[str, Any]]] = [(0, {})]
    for turn in range(REMEMBERED + 40):
        places = {f"r{n}": place((turn + n) % 5) for n in range(turn % 7)}
        if directory.update(places):
            knowledge.append((directory.number, {r: p.to_dict() for r, p in places.items()}))
    latest = knowledge[-1][1]
    for number, known in knowledge[:-1]:
        document = directory.document(3, number)
        assert document is not None
        assert (document["term"], document["to"]) == (3, directory.number)
        assert learn(known, document) == latest


def test_a_delta_holds_what_changed_only() -> None:
    directory = Directory()
    directory.update({"a": place(0), "b": place(1)})
    directory.update({"a": place(2)})
    assert directory.document(1, 1) == {
        "term": 1,
        "from": 1,
        "to": 2,
        "set": {"a": place(2).to_dict()},
        "gone": ["b"],
    }


def test_a_room_that_changes_pods_is_set_and_not_gone() -> None:
    directory, still = Directory(), {"c": place(3)}
    directory.update({"a": place(0), "b": place(0)}, {}, still)
    assert directory.update({"a": place(0)}, {"b": place(1)}, still)
    document = directory.document(1, 1)
    assert document is not None
    assert (document["set"], document["gone"]) == ({"b": place(1).to_dict()}, [])
    whole = directory.document(1, 0)
    assert whole is not None
    assert sorted(whole["set"]) == ["a", "b", "c"]


def test_who_knows_everything_is_told_nothing() -> None:
    directory = Directory()
    assert directory.document(1, 0) is None
    assert directory.update({"a": place(0)})
    assert not directory.update({"a": place(0)})
    assert directory.document(1, 1) is None


def test_who_lags_too_far_gets_it_whole() -> None:
    directory = Directory()
    for turn in range(REMEMBERED + 2):
        directory.update({"a": place(turn % 5)})
    lagging, close = directory.document(1, 1), directory.document(1, 2)
    assert lagging is not None
    assert close is not None
    assert (lagging["from"], close["from"]) == (0, 2)


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, {}, Accepted()),
        (204, {}, Accepted()),
        (409, {"error": "gap", "message": "5 is missing"}, ResendWhole()),
        (409, {"error": "stale_term", "message": "term 9"}, StopLeading("term 9")),
        (409, {"error": "other", "message": "m"}, Refused(409, "m")),
        (400, {"error": "bad_request", "message": "rooms[0]"}, Refused(400, "rooms[0]")),
        (429, {}, TryAgain(429)),
        (503, {"error": "draining"}, TryAgain(503)),
    ],
)
def test_an_answer_says_what_to_do(status: int, body: dict[str, str], answer: Answer) -> None:
    assert read_answer(status, body) == answer


KNOWN = PodAddresses(
    pod_ips=("10.1.0.5",),
    host_ips=("10.0.0.1",),
    node={"ExternalIP": ("203.0.113.9",), "InternalIP": ("10.0.0.1", "fd00::1")},
)
NO_EXTERNAL = PodAddresses(("10.1.0.5",), ("10.0.0.1",), {"InternalIP": ("10.0.0.1",)})
NO_NODES = PodAddresses(("10.1.0.5",), ("10.0.0.1",))


@pytest.mark.parametrize(
    ("network", "known", "addresses"),
    [
        (Network(), KNOWN, ("203.0.113.9",)),
        (Network(), NO_EXTERNAL, ("10.0.0.1",)),
        (Network(), NO_NODES, ("10.0.0.1",)),
        (Network(), PodAddresses(), ()),
        (Network(mode="PodIP"), KNOWN, ("10.1.0.5",)),
        (Network(advertise=("NodeInternalIP",)), KNOWN, ("10.0.0.1", "fd00::1")),
        (Network(advertise=("NodeExternalIP",)), NO_NODES, ()),
        (Network(advertise=("NodeInternalIP", "PodIP")), NO_NODES, ("10.0.0.1", "10.1.0.5")),
        (Network(advertise=("198.51.100.1", "198.51.100.1")), KNOWN, ("198.51.100.1",)),
    ],
)
def test_addresses_for_clients(
    network: Network, known: PodAddresses, addresses: tuple[str, ...]
) -> None:
    assert advertised(network, known) == addresses
