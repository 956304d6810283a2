"""The journal outlives whoever wrote it."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from voiceroom_chaosdoor.journal import Entry, Journal

ENTRY = Entry(
    "a1", "throttle", "voice", "stage-0", "u-1", 1, 2, {"percent": 50}, [{"a": [1, None]}]
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path)
    yield made
    made.close()


def test_what_was_written_is_read_by_another(journal: Journal, tmp_path: Path) -> None:
    journal.write(ENTRY)
    journal.close()
    second = Journal(tmp_path)
    assert second.entries() == [ENTRY]
    second.forget("u-1")
    second.forget("u-1")
    assert second.entries() == []
    journal._lock = second._lock


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"kind": "throttle"}', '"text"', '{"id": 1, "more": 2}']
)
def test_a_file_that_is_broken_is_left_and_stops_nobody(
    journal: Journal, tmp_path: Path, text: str
) -> None:
    (tmp_path / "broken.json").write_text(text)
    journal.write(ENTRY)
    assert journal.entries() == [ENTRY]
    assert (tmp_path / "broken.json").exists()


def test_half_a_file_is_never_seen(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "u-1.new").write_text('{"id"')
    assert journal.entries() == []


def test_a_second_door_waits_until_the_first_has_ended(journal: Journal, tmp_path: Path) -> None:
    got: list[Journal] = []
    waiting = threading.Thread(target=lambda: got.append(Journal(tmp_path)))
    waiting.start()
    with open(tmp_path / "lock", "rb") as third, pytest.raises(BlockingIOError):
        fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert got == []
    journal.close()
    waiting.join()
    (second,) = got
    journal._lock = second._lock
