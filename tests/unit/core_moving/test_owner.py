"""The pod that gives a room away."""

from __future__ import annotations

import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.moving.messages import LegCut, StoppedAck
from voiceroom_mixer.core.moving.owner import (
    QUIET_NS,
    REPEAT_FOR_NS,
    REPEAT_NS,
    Order,
    Owner,
    Phase,
)
from voiceroom_mixer.core.moving.wire import LEGS_PER_PART

ROOM = b"r" * 8
LEGS = tuple(LegCut(bytes((n,)) * 12, n, n, n, n, n, n) for n in range(LEGS_PER_PART + 1))


def order(cut_tick: int = 10, epoch: int = 5, move: str = "m") -> Order:
    return Order(move, cut_tick, b"s" * 8, epoch)


@pytest.fixture
def owner() -> Owner:
    return Owner(ROOM, 3)


def test_it_mixes_every_tick_before_the_cut_and_none_after(owner: Owner) -> None:
    assert owner.cut_at(order(10), next_tick=8)
    assert [owner.stops_at(tick) for tick in (8, 9, 10, 11)] == [False, False, True, True]


def test_a_late_tick_that_skips_the_cut_stops_too(owner: Owner) -> None:
    owner.cut_at(order(10), next_tick=8)
    assert owner.stops_at(14)


@pytest.mark.parametrize("bad", [order(cut_tick=7), order(epoch=3), order(epoch=2)])
def test_an_order_that_cannot_be_kept_is_refused(owner: Owner, bad: Order) -> None:
    assert not owner.cut_at(bad, next_tick=8)
    assert owner.phase is Phase.MIXING


def test_a_second_move_waits_for_the_first(owner: Owner) -> None:
    assert owner.cut_at(order(move="a"), 1)
    assert owner.cut_at(order(move="a"), 1), "the same order may come again"
    assert not owner.cut_at(order(move="b"), 1)


def test_cancelled_before_the_cut_it_goes_on(owner: Owner) -> None:
    owner.cut_at(order(10), 8)
    assert owner.cancel("m")
    assert not owner.stops_at(10)
    assert owner.cut_at(order(20, move="n"), 11)


def test_another_moves_cancel_changes_nothing(owner: Owner) -> None:
    owner.cut_at(order(10), 8)
    owner.cancel("old")
    assert owner.stops_at(10)


def test_after_the_cut_nothing_brings_it_back(owner: Owner) -> None:
    owner.cut_at(order(10), 8)
    owner.stopped(10, LEGS, 0)
    assert not owner.cancel("m")
    assert not owner.cut_at(order(99, epoch=99, move="n"), 11)
    assert owner.phase is Phase.STOPPED


def test_the_word_is_repeated_until_each_part_is_acknowledged(owner: Owner) -> None:
    owner.stopped(10, LEGS, 0)
    first = owner.words(0)
    assert [(w.part, w.parts, w.tick, w.epoch) for w in first] == [(0, 2, 10, 3), (1, 2, 10, 3)]
    assert tuple(leg for word in first for leg in word.legs) == LEGS
    assert owner.words(REPEAT_NS - 1) == ()
    owner.heard(StoppedAck(ROOM, 3, 0))
    assert [w.part for w in owner.words(REPEAT_NS)] == [1]
    owner.heard(StoppedAck(ROOM, 3, 1))
    assert owner.words(5 * REPEAT_NS) == ()


def test_an_empty_room_has_a_last_word_too(owner: Owner) -> None:
    owner.stopped(10, (), 0)
    (word,) = owner.words(0)
    assert (word.part, word.parts, word.legs) == (0, 1, ())


def test_nobody_hears_it_for_ever(owner: Owner) -> None:
    owner.stopped(10, LEGS, 0)
    assert owner.words(REPEAT_FOR_NS)
    assert owner.words(REPEAT_FOR_NS + REPEAT_NS) == ()


def test_only_a_higher_epoch_outranks(owner: Owner) -> None:
    assert [owner.outranked(epoch) for epoch in (2, 3, 4)] == [False, False, True]


def test_stun_is_quiet_after_the_cut_and_answered_again_for_who_stayed(owner: Owner) -> None:
    assert owner.answers_stun(0, relayed=False)
    owner.stopped(10, LEGS, 7 * NS_PER_MS)
    end = 7 * NS_PER_MS + QUIET_NS
    assert not owner.answers_stun(end - 1, relayed=True)
    assert owner.answers_stun(end, relayed=True)
    assert not owner.answers_stun(end, relayed=False)
