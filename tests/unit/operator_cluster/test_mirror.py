"""The newest that was seen, in whatever order news comes; and what streams missed."""

import asyncio
from typing import Any

from fakes.apiserver import FakeApi
from voiceroom_operator.cluster.kinds import NODES, ROOMS, Kind
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.cluster.sweeper import SINGLY, Sweeper


def body(name: str, version: int, uid: str = "u", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "voice", "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata | {"managedFields": [1]}} | more


def test_older_news_is_passed_by() -> None:
    news: list[tuple[Kind, str, str]] = []
    mirror = Mirror(lambda *what: news.append(what))
    mirror.put(ROOMS, body("a", 7, spec={"n": 1}))
    mirror.put(ROOMS, body("a", 6, spec={"n": 0}))
    mirror.put(ROOMS, body("a", 7, spec={"n": 2}))
    found = mirror.get(ROOMS, "voice", "a")
    assert found is not None
    assert found["spec"] == {"n": 1}
    assert "managedFields" not in found["metadata"]
    assert news == [(ROOMS, "voice", "a")]


def test_late_news_of_a_dead_object_does_not_bring_it_back() -> None:
    mirror = Mirror()
    mirror.put(ROOMS, body("a", 7))
    mirror.drop(ROOMS, "voice", "a", "u")
    mirror.put(ROOMS, body("a", 9))
    assert mirror.get(ROOMS, "voice", "a") is None
    assert mirror.namespaces(ROOMS) == set()
    mirror.put(ROOMS, body("a", 8, uid="next"))
    mirror.drop(ROOMS, "voice", "a", "u")
    assert mirror.get(ROOMS, "voice", "a") is not None


class Tower:
    """A mirror that no stream tells anything."""

    def __init__(self) -> None:
        self.api = FakeApi(lambda: 1_800_000_000.0)
        self.mirror = Mirror()
        self.missed: list[str] = []
        self.sweeper = Sweeper(self.api, self.mirror, self.missed.append)

    def sweep(self, kind: Kind = ROOMS, namespace: str = "") -> bool:
        return asyncio.run(self.sweeper.sweep(kind, namespace))

    def names(self) -> set[str]:
        return {name for _, name in self.mirror.keys(ROOMS)}


def test_news_is_late_when_two_sweeps_find_it() -> None:
    tower = Tower()
    tower.api.put(ROOMS, "voice", "a", spec={})
    assert not tower.sweep()
    assert tower.names() == set()
    assert tower.sweep()
    assert tower.names() == {"a"}
    assert tower.missed == ["voicerooms"]
    assert not tower.sweep()


def test_what_changes_between_two_sweeps_is_not_late() -> None:
    tower = Tower()
    tower.api.put(ROOMS, "voice", "a", spec={})
    assert not tower.sweep()
    tower.api.change(ROOMS, "voice", "a", {"spec": {"locked": True}})
    assert not tower.sweep()


def test_much_that_is_late_is_listed_whole() -> None:
    tower = Tower()
    for n in range(SINGLY + 1):
        tower.api.put(ROOMS, "voice", f"r{n}", spec={})
    tower.sweep()
    before = len(tower.api.calls)
    assert tower.sweep()
    assert [verb for verb, *_ in tower.api.calls[before:]] == ["list", "list"]
    assert len(tower.names()) == SINGLY + 1


def test_what_is_gone_is_dropped_at_once_in_that_namespace_only() -> None:
    tower = Tower()
    tower.mirror.put(ROOMS, body("a", 1))
    other = body("b", 1, uid="v")
    other["metadata"]["namespace"] = "elsewhere"
    tower.mirror.put(ROOMS, other)
    tower.sweep(ROOMS, "voice")
    assert tower.names() == {"b"}
    assert tower.missed == ["voicerooms"]


def test_what_is_newer_than_the_list_stays() -> None:
    tower = Tower()
    tower.mirror.put(ROOMS, body("a", 10_000))
    tower.sweep()
    assert tower.names() == {"a"}


def test_another_object_of_the_same_name_takes_the_old_ones_place() -> None:
    tower = Tower()
    tower.mirror.put(ROOMS, body("a", 1))
    tower.api.put(ROOMS, "voice", "a", spec={})
    tower.sweep()
    assert tower.names() == set()
    tower.sweep()
    tower.sweep()
    found = tower.mirror.get(ROOMS, "voice", "a")
    assert found is not None
    assert found["metadata"]["uid"] != "u"


def test_nodes_are_swept_without_a_namespace() -> None:
    tower = Tower()
    tower.api.put(NODES, "", "node-1", spec={}, status={})
    tower.sweep(NODES)
    assert tower.sweep(NODES)
    assert tower.mirror.get(NODES, "", "node-1") is not None


def test_the_echo_of_a_status_that_is_being_written_is_no_news() -> None:
    news: list[str] = []
    mirror = Mirror(lambda _kind, _namespace, name: news.append(name))
    old = body("a", 7, spec={"n": 1}, status={"phase": "Pending"})
    mirror.put(ROOMS, old)
    news.clear()
    ready = {"phase": "Ready"}
    with mirror.expecting(ROOMS, old, ready):
        mirror.put(ROOMS, body("a", 8, spec={"n": 1}, status=ready))
    found = mirror.get(ROOMS, "voice", "a")
    assert found is not None
    assert found["status"] == ready
    assert news == []


def test_what_others_wrote_meanwhile_is_news() -> None:
    news: list[str] = []
    mirror = Mirror(lambda _kind, _namespace, name: news.append(name))
    old = body("a", 7, spec={"n": 1}, status={"phase": "Pending"})
    mirror.put(ROOMS, old)
    ready = {"phase": "Ready"}
    with mirror.expecting(ROOMS, old, ready):
        mirror.put(ROOMS, body("a", 8, spec={"n": 2}, status=ready))
        mirror.put(ROOMS, body("a", 9, spec={"n": 2}, status={"phase": "Failed"}))
        mirror.put(ROOMS, body("b", 9, status=ready))
    mirror.put(ROOMS, body("a", 10, spec={"n": 2}, status=ready))
    assert news == ["a", "a", "a", "b", "a"]
