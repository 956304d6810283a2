"""The breaker opens on what it counts, and a clock that jumps cannot fool it."""

from __future__ import annotations

import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.defend.breaker import Breaker, TimingBreaker

FRAME_NS = 20 * NS_PER_MS
FIVE_S = 250


def run(breaker: TimingBreaker, pattern: str) -> Breaker:
    """One tick a letter, ``x`` is a bad one."""
    for letter in pattern:
        breaker.tick(bad=letter == "x", truth_ns=FRAME_NS)
    return breaker.state


@pytest.fixture
def breaker() -> TimingBreaker:
    return TimingBreaker()


def test_good_ticks_leave_it_closed(breaker: TimingBreaker) -> None:
    assert run(breaker, "." * 2_000) is Breaker.CLOSED


def test_three_misses_in_a_row_open_it_even_among_the_first(breaker: TimingBreaker) -> None:
    assert run(breaker, ".xx.xx.") is Breaker.CLOSED
    assert run(breaker, "xxx") is Breaker.OPEN
    assert breaker.opened is not None
    assert breaker.opened.cause == "misses"


def test_half_of_twenty_samples_open_it_and_not_half_of_fewer(breaker: TimingBreaker) -> None:
    assert run(breaker, ".x" * 9 + ".") is Breaker.CLOSED
    assert run(breaker, "x") is Breaker.OPEN
    assert breaker.opened is not None
    assert (breaker.opened.cause, breaker.opened.bad, breaker.opened.samples) == ("share", 10, 20)


def test_one_stall_of_any_length_is_no_reason_and_one_after_the_other_is(
    breaker: TimingBreaker,
) -> None:
    run(breaker, "." * 30)
    breaker.tick(bad=True, truth_ns=FRAME_NS, missed=1 << 60)
    assert breaker.state is Breaker.CLOSED
    for _ in range(10):
        run(breaker, "." * 10)
        breaker.tick(bad=True, truth_ns=FRAME_NS, missed=50)
    assert breaker.opened is not None
    assert (breaker.state, breaker.opened.cause) == (Breaker.OPEN, "share")


def test_what_is_older_than_the_window_is_forgotten(breaker: TimingBreaker) -> None:
    run(breaker, "x.." * 150 + "." * 500)
    assert run(breaker, ".x" * 100) is Breaker.CLOSED, "100 of 500"


@pytest.mark.parametrize("step_ms", [50, -50, 3_600_000])
def test_a_step_of_50_ms_opens_it_at_once(breaker: TimingBreaker, step_ms: int) -> None:
    breaker.tick(bad=False, truth_ns=FRAME_NS, step_ns=step_ms * NS_PER_MS)
    assert breaker.state is Breaker.OPEN


def test_a_smaller_step_does_not(breaker: TimingBreaker) -> None:
    breaker.tick(bad=False, truth_ns=FRAME_NS, step_ns=49 * NS_PER_MS)
    assert breaker.state is Breaker.CLOSED


def test_it_is_tried_after_5_s_and_closes_after_5_more(breaker: TimingBreaker) -> None:
    run(breaker, "xxx")
    assert run(breaker, "." * (FIVE_S - 1)) is Breaker.OPEN
    assert run(breaker, ".") is Breaker.HALF_OPEN
    assert run(breaker, "." * (FIVE_S - 1)) is Breaker.HALF_OPEN
    assert run(breaker, ".") is Breaker.CLOSED


def test_half_open_it_opens_again_at_the_next_misses(breaker: TimingBreaker) -> None:
    run(breaker, "xxx" + "." * FIVE_S)
    assert run(breaker, "xxx") is Breaker.OPEN


def test_ticks_that_were_bad_while_open_are_no_reason_to_open_again(breaker: TimingBreaker) -> None:
    run(breaker, "x" * FIVE_S)
    assert run(breaker, "xxx") is Breaker.HALF_OPEN
    assert run(breaker, "." * FIVE_S) is Breaker.CLOSED


def test_a_clock_that_jumps_ahead_does_not_end_the_wait(breaker: TimingBreaker) -> None:
    run(breaker, "xxx")
    for _ in range(10):  # its reader was told an hour; the kernel slept a frame
        breaker.tick(bad=True, truth_ns=FRAME_NS, step_ns=3_600_000 * NS_PER_MS)
    assert breaker.state is Breaker.OPEN
    breaker.tick(bad=False, truth_ns=-3_600_000 * NS_PER_MS)
    assert run(breaker, "." * (FIVE_S - 11)) is Breaker.OPEN
