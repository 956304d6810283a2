"""What a bracket proves of a reading's error."""

from __future__ import annotations

import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.timing.ahead import NARROW_NS, SLACK_NS, Ahead, Bracket

STEP = 50 * NS_PER_MS


def bracket(ahead_ns: int = 0, width_ns: int = 2_000, at_ns: int = 10**12) -> Bracket:
    """The kernel is asked in the middle of it."""
    return Bracket(at_ns - width_ns // 2 + ahead_ns, at_ns, at_ns + width_ns // 2 + ahead_ns)


def test_what_a_bracket_allows_is_left_alone() -> None:
    ahead = Ahead()
    for error_ns in (0, 30_000, -30_000):
        assert ahead.allows(*bracket(error_ns))
        ahead.learn([bracket(error_ns)])
    assert (ahead.ns, ahead.steps) == (0, 0)


@pytest.mark.parametrize("step_ns", [STEP, -STEP])
def test_a_step_is_disproof_and_is_followed_and_counted(step_ns: int) -> None:
    ahead = Ahead()
    assert not ahead.allows(*bracket(step_ns))
    ahead.learn([bracket(step_ns)])
    assert (ahead.ns, ahead.steps) == (step_ns, 1)
    ahead.learn([bracket(0)])
    assert (ahead.ns, ahead.steps) == (0, 2)


def test_a_rate_is_followed_in_steps_that_are_not_counted() -> None:
    ahead = Ahead()
    for tick in range(1000):
        error_ns = tick * 10_000  # 500 ppm at 20 ms
        ahead.learn([bracket(error_ns)])
        assert abs(ahead.ns - error_ns) <= SLACK_NS + 1_000
    assert ahead.steps == 0


def test_a_preempted_bracket_proves_little_and_the_narrowest_of_several_decides() -> None:
    ahead, wide = Ahead(), bracket(STEP, width_ns=3 * STEP)
    assert not ahead.allows(*wide)
    ahead.learn([wide])
    assert ahead.ns == 0, "its bounds leave room for what is believed"
    ahead.learn([wide, bracket(STEP), wide])
    assert ahead.ns == STEP


def test_a_step_within_a_bracket_proves_nothing_where_there_is_a_better_one() -> None:
    ahead = Ahead()
    torn = Bracket(10**12 + STEP, 10**12, 10**12 + 1_000)
    assert not ahead.allows(*torn)
    ahead.learn([torn, bracket(0, width_ns=NARROW_NS)])
    assert ahead.ns == 0
