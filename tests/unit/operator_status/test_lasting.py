"""What a busy node does to timers now and then is no write to every room."""

from __future__ import annotations

import pytest

from voiceroom_operator.status.facts import LASTS_S, Timeliness

SINCE_S = 1_800_000_000.0


@pytest.mark.parametrize(
    ("age_s", "shown"), [(0.0, ""), (LASTS_S - 0.1, ""), (LASTS_S, "starved"), (60.0, "starved")]
)
def test_a_verdict_is_shown_when_it_lasts(age_s: float, shown: str) -> None:
    said = Timeliness(0.4, "starved", SINCE_S, "run-queue delay 12 ms")
    found = said.lasting(SINCE_S + age_s)
    assert (found.p99_ms, found.verdict, found.fault()) == (0.4, shown, shown)
    assert bool(found.message) is bool(shown)


def test_one_whose_beginning_is_unknown_is_shown() -> None:
    assert Timeliness(verdict="rate").lasting(SINCE_S).fault() == "rate"
