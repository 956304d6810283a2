"""Three tiers, each with its breach, its measure and its end, in virtual time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.receive.lean import lean_ppm
from voiceroom_mixer.core.receive.tolerance import (
    EXTRA_MS,
    FIRST_PAUSE_NS,
    LAST_PAUSE_NS,
    NONE,
    PACKETISATION_NS,
    Measures,
    Seen,
    Tolerance,
)

START_NS = 1_000 * NS_PER_S


class Looks:
    """A leg that is looked at once a second; a round trip with each look, unless 0."""

    def __init__(self) -> None:
        self.tolerance = Tolerance()
        self.now_ns = START_NS
        self.adjusted = 0

    def pass_time(self, seconds: int, jitter_ns: int = 0, rtt_ms: float = 0) -> list[Measures]:
        return [self._second(jitter_ns, int(rtt_ms * NS_PER_MS)) for _ in range(seconds)]

    def _second(self, jitter_ns: int, rtt_ns: int) -> Measures:
        self.now_ns += NS_PER_S
        return self.tolerance.look(Seen(jitter_ns, self.adjusted, rtt_ns), self.now_ns)

    def wishes(self, seconds: int, rtt_ms: float) -> list[int]:
        """The seconds at which another path was asked for."""
        asked = []
        for second in range(seconds):
            self.pass_time(1, rtt_ms=rtt_ms)
            if self.tolerance.wants_another_path(self.now_ns):
                self.tolerance.asked_for_another_path(self.now_ns)
                asked.append(second)
        return asked


def test_a_steady_leg_is_left_alone() -> None:
    looks = Looks()
    assert set(looks.pass_time(600, jitter_ns=PACKETISATION_NS, rtt_ms=80)) == {NONE}
    assert looks.tolerance.packetisation.begun == looks.tolerance.network.begun == 0


def test_irregular_packets_have_their_depth_held_tight() -> None:
    looks = Looks()
    measures = looks.pass_time(5, jitter_ns=PACKETISATION_NS + 1)
    assert [each.tight for each in measures] == [False, False, True, True, True]
    assert not any(each.protect or each.extra_ms for each in measures)


def test_it_is_let_go_after_30_s_of_calm_and_not_before() -> None:
    looks = Looks()
    looks.pass_time(3, jitter_ns=NS_PER_MS)
    calm = looks.pass_time(31)
    assert [each.tight for each in calm] == [True] * 29 + [False] * 2
    assert looks.tolerance.packetisation.begun == 1


def test_an_odd_second_now_and_then_is_no_breach() -> None:
    looks = Looks()
    for _ in range(20):
        assert looks.pass_time(1, jitter_ns=NS_PER_MS) == [NONE]
        assert set(looks.pass_time(2)) == {NONE}


def test_pieces_of_quiet_sound_that_were_adjusted_are_told_once() -> None:
    looks = Looks()
    looks.adjusted = 96
    looks.pass_time(3)
    assert looks.tolerance.queue.begun == 1
    looks.adjusted = 0  # another stream: its counts begin anew
    looks.pass_time(40)
    looks.adjusted = 10
    looks.pass_time(1)
    assert looks.tolerance.queue.begun == 2


def test_a_round_trip_50_ms_above_its_best_gives_buffer_and_fec() -> None:
    looks = Looks()
    looks.pass_time(5, rtt_ms=80)
    assert set(looks.pass_time(5, rtt_ms=130)) == {NONE}, "at the tolerance"
    measures = looks.pass_time(4, rtt_ms=131)
    assert measures[1:3] == [NONE, Measures(protect=True, extra_ms=EXTRA_MS)]
    assert looks.pass_time(29, rtt_ms=80)[-1] == measures[-1]
    assert looks.pass_time(2, rtt_ms=80)[-1] == NONE


def test_what_a_path_was_long_ago_does_not_count() -> None:
    looks = Looks()
    looks.pass_time(5, rtt_ms=20)
    assert looks.pass_time(120, rtt_ms=300)[-1] == NONE, "this path is just far"


def test_another_path_is_judged_by_itself() -> None:
    looks = Looks()
    looks.pass_time(5, rtt_ms=20)
    looks.tolerance.new_path()
    assert set(looks.pass_time(20, rtt_ms=200)) == {NONE}


def test_another_path_is_asked_for_after_10_s_and_ever_more_seldom() -> None:
    looks = Looks()
    looks.pass_time(1, rtt_ms=20)
    rising = [20 + 60 * n for n in range(1, 4_000)]  # worse and worse: the breach never ends
    asked = [second for second, rtt in enumerate(rising) if looks.wishes(1, rtt)]
    first, second, *rest = asked
    assert first == 12, "two looks until the breach, and ten seconds of patience"
    assert second - first == FIRST_PAUSE_NS // NS_PER_S
    assert rest
    pauses = [b - a for a, b in pairwise(asked)]
    assert pauses == [60, 120, 240, 480, 960, 960, 960]
    assert LAST_PAUSE_NS == 960 * NS_PER_S


def test_nothing_is_asked_for_when_the_trouble_is_over() -> None:
    looks = Looks()
    looks.pass_time(2, rtt_ms=20)
    looks.pass_time(5, rtt_ms=200)
    assert looks.wishes(25, rtt_ms=20) == []


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**10)), max_size=200))
def test_whatever_is_seen_is_bounded_and_ends(seen: list[tuple[int, int]]) -> None:
    looks = Looks()
    for jitter_ns, rtt_ns in seen:
        looks.pass_time(1, jitter_ns, rtt_ns / NS_PER_MS)
        assert looks.tolerance.look(Seen(), looks.now_ns).extra_ms in (0, EXTRA_MS)
    looks.pass_time(31)
    assert looks.pass_time(1) == [NONE]


def test_held_tight_a_millisecond_from_the_target_is_resampled() -> None:
    excess = 48
    assert lean_ppm(excess, 0.0, 0.0) == 0.0
    assert lean_ppm(excess, 0.0, 0.0, tight=True) == 20.0
    assert lean_ppm(-excess, 0.0, 0.0, tight=True) == -20.0
    assert lean_ppm(24, 0.0, 0.0, tight=True) == 0.0, "half a millisecond is the tolerance"
