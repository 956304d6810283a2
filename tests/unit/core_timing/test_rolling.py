"""Maxima that readers do not disturb."""

from __future__ import annotations

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.timing.rolling import RollingMax


def s(seconds: float) -> int:
    return round(seconds * NS_PER_S)


def test_the_largest_of_the_last_minute() -> None:
    rolling = RollingMax()
    for second, value in ((100, 5), (110, 90), (120, 7)):
        rolling.observe(s(second), value)
    assert rolling.maximum(s(121)) == 90


def test_it_stays_for_at_least_a_minute_and_at_most_one_slice_longer() -> None:
    for begin in range(1000, 1010):
        rolling = RollingMax()
        rolling.observe(s(begin), 42)
        assert rolling.maximum(s(begin + 59.999)) == 42
        assert rolling.maximum(s(begin + 65.001)) == 0


def test_any_number_of_readers_see_the_same() -> None:
    rolling = RollingMax()
    rolling.observe(s(10), 3)
    assert [rolling.maximum(s(11)) for _ in range(5)] == [3] * 5


def test_a_smaller_value_takes_over_when_the_larger_has_aged() -> None:
    rolling = RollingMax()
    rolling.observe(s(0), 100)
    rolling.observe(s(40), 8)
    assert rolling.maximum(s(64)) == 100
    assert rolling.maximum(s(66)) == 8


def test_a_long_silence_empties_it() -> None:
    rolling = RollingMax()
    rolling.observe(s(10), 3)
    assert rolling.maximum(s(100_000)) == 0


def test_time_that_goes_back_brings_nothing_back_and_loses_nothing() -> None:
    rolling = RollingMax()
    rolling.observe(s(1000), 3)
    rolling.observe(s(10), 9)
    assert rolling.maximum(s(500)) == 9
    assert rolling.maximum(s(1066)) == 0
