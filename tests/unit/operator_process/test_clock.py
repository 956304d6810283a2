"""Unix time for the operator: it never steps."""

from voiceroom_operator.edge.clock import SLEW, Slewed

UNIX_S = 1_800_000_000.0


def after(step_s: float, seconds: int) -> float:
    """What is read, beside the clock as it was, so many seconds after it was stepped."""
    clock = Slewed(UNIX_S, 100.0)
    read_s = UNIX_S
    for second in range(1, seconds + 1):
        before_s, read_s = read_s, clock.read(UNIX_S + second + step_s, 100.0 + second)
        assert 1 - SLEW - 1e-6 <= read_s - before_s <= 1 + SLEW + 1e-6
    return read_s - UNIX_S - seconds


def test_a_good_clock_is_read_as_it_is() -> None:
    assert after(0.0, 1000) == 0.0


def test_a_step_ahead_is_followed_slowly() -> None:
    assert round(after(3600.0, 100), 3) == 100 * SLEW


def test_a_step_back_makes_no_time_go_backwards() -> None:
    assert round(after(-3600.0, 100), 3) == -100 * SLEW


def test_a_small_error_is_put_right_and_stays_so() -> None:
    assert round(after(0.5, 1000), 6) == 0.5
