"""The pod that is to mix a room next."""

from __future__ import annotations

import dataclasses

import pytest

from voiceroom_mixer.core.moving.messages import LegCut, Stopped, StoppedAck
from voiceroom_mixer.core.moving.successor import MAX_PARTS, WORD_NS, Phase, Start, Successor

ROOM = b"r" * 8
CUTS = tuple(LegCut(bytes((n,)) * 12, n, n, n, n, n, n) for n in range(3))
PARTS = tuple(Stopped(ROOM, 3, 10, n, 3, (CUTS[n],)) for n in range(3))


@pytest.fixture
def waiting() -> Successor:
    made = Successor(ROOM, 5, owner_epoch=3)
    made.prepared()
    assert made.cut_ordered(0)
    return made


def test_the_whole_word_starts_it_once_in_the_order_of_the_legs(waiting: Successor) -> None:
    for part in reversed(PARTS):
        assert waiting.start(1) is None
        assert waiting.word(part) == StoppedAck(ROOM, 3, part.part)
    assert waiting.start(1) == Start(10, CUTS)
    assert waiting.start(2) is None
    assert waiting.phase is Phase.MIXING


def test_a_word_that_comes_again_is_acknowledged_again(waiting: Successor) -> None:
    for part in PARTS:
        waiting.word(part)
    waiting.start(1)
    assert waiting.word(PARTS[0]) == StoppedAck(ROOM, 3, 0)
    assert waiting.start(2) is None


def test_without_the_word_it_takes_over(waiting: Successor) -> None:
    waiting.word(PARTS[0])
    assert waiting.start(WORD_NS - 1) is None
    assert waiting.start(WORD_NS) == Start(-1, ())
    assert waiting.phase is Phase.TAKEN


def test_of_two_ticks_the_one_nearer_to_the_deadline_takes_over(waiting: Successor) -> None:
    """The order came 3 ms into a tick of 20 ms."""
    tick, begun = 20_000_000, -3_000_000
    assert waiting.start(begun + 24 * tick, tick) is None
    assert waiting.start(begun + 25 * tick, tick) == Start(-1, ())


def test_a_word_after_the_take_over_changes_nothing(waiting: Successor) -> None:
    waiting.start(WORD_NS)
    for part in PARTS:
        assert waiting.word(part) is not None, "the owner may stop repeating it"
    assert waiting.start(WORD_NS + 1) is None
    assert waiting.phase is Phase.TAKEN


def test_a_repeated_order_does_not_put_the_take_over_off(waiting: Successor) -> None:
    assert waiting.cut_ordered(WORD_NS - 1)
    assert waiting.start(WORD_NS) is not None


def test_what_is_not_prepared_is_not_ordered_and_acknowledges_nothing() -> None:
    made = Successor(ROOM, 5, owner_epoch=3)
    assert not made.cut_ordered(0)
    assert made.word(PARTS[0]) is None
    assert made.start(10 * WORD_NS) is None


def test_the_word_alone_is_enough_where_the_order_was_lost() -> None:
    made = Successor(ROOM, 5, owner_epoch=3)
    made.prepared()
    for part in PARTS:
        made.word(part)
    assert made.start(0) == Start(10, CUTS)


def test_cancelled_it_never_mixes() -> None:
    made = Successor(ROOM, 5, owner_epoch=3)
    made.prepared()
    assert made.cancel()
    assert not made.cut_ordered(0)
    assert made.word(PARTS[0]) is None
    assert made.start(10 * WORD_NS) is None


def test_after_the_order_it_is_too_late_to_cancel(waiting: Successor) -> None:
    assert not waiting.cancel()


@pytest.mark.parametrize(
    "change", [{"epoch": 2}, {"epoch": 4}, {"parts": MAX_PARTS + 1}], ids=["old", "new", "many"]
)
def test_a_word_that_is_not_the_owners_is_not_taken(
    waiting: Successor, change: dict[str, int]
) -> None:
    assert waiting.word(dataclasses.replace(PARTS[0], **change)) is None  # type: ignore[arg-type]


def test_an_owner_that_refuses_the_order_is_not_taken_over() -> None:
    one = Successor(ROOM, 5, owner_epoch=3)
    one.prepared()
    one.cut_ordered(0)
    one.refused()
    assert one.start(WORD_NS) is None
    assert one.cut_ordered(2 * WORD_NS)
    assert one.start(3 * WORD_NS) == Start(-1, ())
