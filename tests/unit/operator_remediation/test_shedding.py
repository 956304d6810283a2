"""The fewest rooms that cure an overload."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_operator.remediation.shedding import CURED_SHARE, Weight, fewest

WEIGHTS = st.lists(
    st.tuples(st.integers(1, 20), st.integers(0, 9), st.booleans()), min_size=0, max_size=7
).map(
    lambda rows: [
        Weight(f"r{at}", legs, float(cost), free) for at, (cost, legs, free) in enumerate(rows)
    ]
)


def cures(rooms: list[Weight], gone: set[str], used: float) -> bool:
    total = sum(room.cost for room in rooms)
    left = sum(room.cost for room in rooms if room.room not in gone)
    return used * left / total <= CURED_SHARE + 1e-9


@given(WEIGHTS, st.floats(0.1, 3.0))
def test_no_fewer_would_do(rooms: list[Weight], used: float) -> None:
    chosen = fewest(rooms, used)
    free = [room.room for room in rooms if room.free]
    if chosen:
        assert set(chosen) <= set(free)
        assert len(set(chosen)) == len(chosen) < len(rooms)
        assert cures(rooms, set(chosen), used)
    enough = [
        size
        for size in range(1, min(len(free), len(rooms) - 1) + 1)
        if any(cures(rooms, set(some), used) for some in combinations(free, size))
    ]
    if len(rooms) > 1 and used > CURED_SHARE and enough:
        assert len(chosen) == enough[0]


def test_of_those_that_do_the_one_with_the_fewest_people_goes() -> None:
    rooms = [Weight("big", 9, 6.0), Weight("fits", 1, 4.0), Weight("small", 0, 1.0)]
    assert fewest(rooms, 1.2) == ("fits",)


def test_one_room_alone_is_not_helped_by_a_move() -> None:
    assert fewest([Weight("a", 3, 5.0)], 2.0) == ()


def test_what_is_cured_is_left_alone() -> None:
    assert fewest([Weight("a", 3, 5.0), Weight("b", 3, 5.0)], CURED_SHARE) == ()
