"""Slots: lowest first, never one that media still holds, generations that only grow."""

from __future__ import annotations

from voiceroom_mixer.control.slots import SlotPool


def test_the_lowest_free_slot_comes_first() -> None:
    pool = SlotPool(8, lambda slot: True)
    assert [pool.lease() for _ in range(3)] == [0, 1, 2]
    pool.release(1)
    pool.release(0)
    assert [pool.lease() for _ in range(3)] == [0, 1, 3]
    assert len(pool) == 4


def test_a_slot_that_media_still_holds_is_not_given_again() -> None:
    held = {0}
    pool = SlotPool(4, lambda slot: slot not in held)
    assert pool.lease() == 0
    pool.release(0)
    assert pool.lease() == 1
    held.clear()
    assert pool.lease() == 0


def test_a_full_pool_says_so() -> None:
    pool = SlotPool(2, lambda slot: True)
    assert [pool.lease() for _ in range(3)] == [0, 1, None]


def test_rather_a_slot_that_media_still_holds_than_none() -> None:
    pool = SlotPool(1, lambda slot: False)
    assert pool.lease() == 0
    pool.release(0)
    assert pool.lease() == 0


def test_adopted_slots_are_taken_and_those_below_are_free() -> None:
    pool = SlotPool(4, lambda slot: True)
    pool.adopt(2, generation=7)
    assert [pool.lease() for _ in range(4)] == [0, 1, 3, None]
    pool.release(2)
    assert pool.lease() == 2
    assert pool.next_generation(2, adopted=3) == 8


def test_generations_grow_above_what_media_has_adopted_and_are_never_zero() -> None:
    pool = SlotPool(1, lambda slot: True)
    assert pool.next_generation(0, adopted=41) == 42
    assert pool.next_generation(0, adopted=0) == 43
    assert pool.next_generation(0, adopted=0xFFFF_FFFF) == 1
