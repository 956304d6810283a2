"""The journal in shared memory: ids go on over a restart, gaps are told."""

from __future__ import annotations

from fakes.door import segment
from voiceroom_mixer.control.events.journal import Event, Journal
from voiceroom_mixer.core.state.layout import Capacity


def ids(events: list[Event]) -> list[tuple[int, str]]:
    return [(event.id, event.type) for event in events]


def test_ids_count_from_1_and_go_on_after_a_restart() -> None:
    memory = segment()
    first = Journal(memory)
    assert first.append("lobby", "joined", {"id": "a"}).id == 1
    assert first.append("hall", "joined", {"id": "b"}).id == 2
    second = Journal(memory)
    assert second.append("lobby", "left", {"id": "a"}).id == 3
    assert second.since("lobby", 0) == [
        Event(1, "lobby", "joined", {"id": "a"}),
        Event(3, "lobby", "left", {"id": "a"}),
    ]


def test_what_the_ring_has_overwritten_is_told_as_a_reset() -> None:
    journal = Journal(segment())  # 8 rows
    for number in range(10):
        journal.append("lobby", "joined", {"n": number})
    assert len(journal.since("lobby", 2)) == 8
    assert ids(journal.since("lobby", 1)) == [(10, "reset")]
    assert journal.since("lobby", 10) == []
    assert ids(journal.since("lobby", 11)) == [(10, "reset")]


def test_a_row_whose_writer_was_killed_is_a_gap_for_the_next_process() -> None:
    memory = segment()
    journal = Journal(memory)
    for number in range(3):
        journal.append("lobby", "joined", {"n": number})
    table = memory.tables["events"]
    table.write(2, b'{"i":999,"r":"lobby","t":"x","d":{}}')
    assert ids(Journal(memory).since("lobby", 0)) == [(3, "reset")]
    assert ids(Journal(memory).since("lobby", 2)) == [(3, "joined")]


def test_an_event_too_long_for_a_row_is_numbered_and_told_as_a_reset() -> None:
    journal = Journal(segment())
    told = journal.append("lobby", "joined", {"identity": "x" * 2000})
    assert (told.id, told.type) == (1, "joined")
    assert journal.oversized == 1
    assert ids(journal.since("lobby", 0)) == [(1, "reset")]
    assert journal.since("hall", 0) == []


def test_an_event_on_the_wire() -> None:
    event = Event(7, "lobby", "joined", {"identity": "a\nb"})
    assert event.to_sse() == b'id: 7\nevent: joined\ndata: {"identity":"a\\nb"}\n\n'
    assert Event(0, "lobby", "levels", {}).to_sse() == b"event: levels\ndata: {}\n\n"


def test_a_reader_of_another_pod_resumes_by_its_ids() -> None:
    memory = segment(Capacity(rooms=4, legs=16, events=512, revoked=4))
    journal = Journal(memory)
    journal.append("hall", "joined", {"n": 1})
    tail = [Event(n, "lobby", "joined", {"n": n}) for n in (7, 9)]
    journal.inherit("lobby", 10, tail)
    ours = journal.append("lobby", "move", {})
    assert ours.id > 9, "above all that the other has given"
    assert ids(journal.since("lobby", 9)) == [(ours.id, "move")]
    assert ids(journal.since("lobby", 7)) == [(9, "joined"), (ours.id, "move")]
    assert ids(journal.since("lobby", 12)) == [(ours.id, "move")], "given after the last word"
    assert ids(journal.since("lobby", 3)) == [(ours.id, "reset")], "before the tail"
    assert ids(journal.since("lobby", ours.id)) == []
    assert ids(journal.since("hall", 0)) == [(1, "joined")], "nobody else is disturbed"
    journal.forget("lobby")
    assert ids(journal.since("lobby", 9)) == [(ours.id, "move")]
