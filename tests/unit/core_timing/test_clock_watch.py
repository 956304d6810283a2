"""What the loop is late by after a reading has run wrong, and was put right at once."""

from __future__ import annotations

from collections.abc import Iterator

from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.clocks import ClockWatch
from voiceroom_mixer.core.timing.detect.observations import ClockRound
from voiceroom_mixer.core.timing.detect.verdicts import Claim

MS = 1_000_000
ROUND_NS = 20 * MS
WIDTH_NS = 2_000


def rounds(begin: int, count: int, ahead_ns: float, ppm: float) -> Iterator[ClockRound]:
    """MONOTONIC reads ``ahead_ns`` and more with each round; RAW and BOOTTIME are true."""
    for number in range(begin, begin + count):
        true_ns = number * ROUND_NS
        ahead = round(ahead_ns + (number - begin) * ROUND_NS * ppm / 1e6)
        yield ClockRound(true_ns + ahead, WIDTH_NS, -ahead, -ahead, (-ahead, -ahead, -ahead))


def taken(watch: ClockWatch, *parts: Iterator[ClockRound]) -> list[Claim]:
    """All claims."""
    return [claim for part in parts for one in part if (claim := watch.take(one)) is not None]


def test_a_slow_clock_that_is_put_right_leaves_no_step_behind() -> None:
    watch = ClockWatch()
    taken(watch, rounds(1, 500, 0, -2_000), rounds(501, 10, 0, 0))
    assert watch.shift_ns == 0
    assert watch.stepped_ns == 0


def test_a_step_that_stays_is_remembered() -> None:
    watch = ClockWatch()
    (claim,) = taken(watch, rounds(1, 50, 0, 0), rounds(51, 10, 50 * MS, 0))
    assert claim.kind == "step-one"
    assert (watch.shift_ns, watch.stepped_ns) == (50 * MS, 50 * MS)
    assert watch.stepped_ns >= matrix.STEP_NS
