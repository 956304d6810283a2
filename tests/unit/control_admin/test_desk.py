"""The order of the operator's documents, and what is left of them after a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_mixer.control.admin.assignment import Assignment
from voiceroom_mixer.control.admin.desk import Desk
from voiceroom_mixer.control.admin.store import Store
from voiceroom_mixer.control.service import ApiError

PLACE = {"pod": "b", "address": "10.0.0.2:8443", "epoch": 1}


def document(term: int, generation: int, *rooms: str) -> dict[str, Any]:
    spec = VoiceRoomSpec().to_dict()
    entries = [
        {"name": name, "uid": f"u-{name}", "epoch": 1, "role": "owner", "spec": spec}
        for name in rooms
    ]
    return {"term": term, "generation": generation, "rooms": entries}


def delta(term: int, start: int, end: int, *rooms: str) -> dict[str, Any]:
    return {"term": term, "from": start, "to": end, "set": dict.fromkeys(rooms, PLACE), "gone": []}


class Taken:
    """A desk that notes what it was made to carry out."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(Store(folder))
        self.applied: list[list[str]] = []
        self.desk.apply = self._apply

    def _apply(self, wanted: Assignment) -> None:
        self.applied.append([seat.name for seat in wanted.seats])


def refused(call: Coroutine[Any, Any, None]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        asyncio.run(call)
    return caught.value


def test_an_assignment_is_carried_out_once(tmp_path: Path) -> None:
    taken = Taken(tmp_path)
    assert not taken.desk.told
    for _ in range(3):
        asyncio.run(taken.desk.assign(document(1, 1, "lobby")))
    assert taken.applied == [["lobby"]]
    assert (taken.desk.term, taken.desk.generation, taken.desk.told) == (1, 1, True)


def test_an_older_leader_is_told_to_stop(tmp_path: Path) -> None:
    taken = Taken(tmp_path)
    asyncio.run(taken.desk.assign(document(5, 1, "lobby")))
    error = refused(taken.desk.assign(document(4, 9)))
    assert (error.status, error.code) == (409, "stale_term")
    assert error.to_dict()["term"] == 5
    assert refused(taken.desk.direct(delta(4, 0, 1))).code == "stale_term"
    assert taken.applied == [["lobby"]]


def test_the_directory_tells_of_a_later_leader_as_well(tmp_path: Path) -> None:
    taken = Taken(tmp_path)
    asyncio.run(taken.desk.assign(document(5, 1, "lobby")))
    asyncio.run(taken.desk.direct(delta(6, 0, 1, "lobby")))
    assert refused(taken.desk.assign(document(5, 2))).code == "stale_term"


def test_a_later_leader_may_begin_anywhere(tmp_path: Path) -> None:
    taken = Taken(tmp_path)
    asyncio.run(taken.desk.assign(document(1, 40, "lobby")))
    asyncio.run(taken.desk.assign(document(2, 1, "hall")))
    assert taken.applied == [["lobby"], ["hall"]]


@pytest.mark.parametrize("late", [document(1, 2), document(1, 3), document(1, 1, "lobby")])
def test_what_is_behind_is_a_gap(tmp_path: Path, late: dict[str, Any]) -> None:
    taken = Taken(tmp_path)
    asyncio.run(taken.desk.assign(document(1, 3, "lobby")))
    error = refused(taken.desk.assign(late))
    assert (error.status, error.code) == (409, "gap")
    assert error.to_dict()["generation"] == 3
    assert taken.applied == [["lobby"]]


def test_a_directory_with_something_missing_is_a_gap(tmp_path: Path) -> None:
    desk = Taken(tmp_path).desk
    assert refused(desk.direct(delta(1, 3, 4))).to_dict()["number"] == 0
    asyncio.run(desk.direct(delta(1, 0, 3, "lobby")))
    for wrong in (delta(1, 2, 4), delta(1, 4, 5), delta(2, 3, 4)):
        assert refused(desk.direct(wrong)).code == "gap"
    asyncio.run(desk.direct(delta(1, 3, 4, "hall")))
    assert desk.place("lobby") is not None
    assert desk.place("hall") is not None
    assert desk.directory.number == 4


def test_a_wrong_document_changes_nothing(tmp_path: Path) -> None:
    taken = Taken(tmp_path)
    asyncio.run(taken.desk.assign(document(1, 1, "lobby")))
    wrong = document(9, 2, "hall", "hall")
    assert refused(taken.desk.assign(wrong)).status == 422
    assert (taken.desk.term, taken.desk.generation) == (1, 1)
    assert Desk(Store(tmp_path)).generation == 1


def test_the_next_container_knows_what_this_one_was_told(tmp_path: Path) -> None:
    desk = Taken(tmp_path).desk
    asyncio.run(desk.assign(document(2, 7, "lobby")))
    asyncio.run(desk.direct(delta(3, 0, 5, "hall")))
    again = Desk(Store(tmp_path))
    assert (again.term, again.generation, again.directory.number) == (3, 7, 5)
    assert again.assignment is not None
    assert [room["name"] for room in again.assignment.owned()] == ["lobby"]
    assert again.place("hall") == desk.place("hall")
    files = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert files == {"assignment.json": 0o600, "directory.json": 0o600}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"version": 9, "document": {}}', '{"version": 1}', "[" * 10_000],
)
def test_what_cannot_be_read_is_left_aside(tmp_path: Path, text: str) -> None:
    for name in ("assignment", "directory"):
        (tmp_path / f"{name}.json").write_text(text)
    desk = Desk(Store(tmp_path))
    assert (desk.term, desk.generation, desk.told) == (0, 0, False)


def test_what_was_kept_is_checked_like_anything_else(tmp_path: Path) -> None:
    kept = {"version": 1, "document": document(1, 1, "Lobby!")}
    (tmp_path / "assignment.json").write_text(json.dumps(kept))
    assert Desk(Store(tmp_path)).assignment is None


def test_a_full_disk_loses_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Taken(tmp_path)
    monkeypatch.setattr("os.fsync", _no_space)
    asyncio.run(taken.desk.assign(document(1, 1, "lobby")))
    assert taken.applied == [["lobby"]]
    assert not taken.desk.kept
    monkeypatch.undo()
    assert Desk(Store(tmp_path)).assignment is None, "half a file is never read"
    asyncio.run(taken.desk.assign(document(1, 2, "lobby")))
    assert taken.desk.kept


def _no_space(_fd: int) -> None:
    raise OSError(28, "No space left on device")


def test_documents_that_come_at_once_are_taken_one_after_the_other(tmp_path: Path) -> None:
    taken = Taken(tmp_path)

    async def both() -> list[Any]:
        calls = (taken.desk.assign(document(1, n, f"room-{n}")) for n in range(1, 9))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert asyncio.run(both()) == [None] * 8
    assert taken.applied == [[f"room-{n}"] for n in range(1, 9)]
    assert Desk(Store(tmp_path)).generation == 8
