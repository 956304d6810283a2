"""Breaker and ladder of a media process: what the board shows of them, and what is applied."""

from __future__ import annotations

from fakes.mansion import Mansion
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.measures import LEVELS, Measures
from voiceroom_mixer.core.timing.detect.detector import Detector
from voiceroom_mixer.core.timing.detect.observations import Accounts, Tick
from voiceroom_mixer.media.defence import Defence

FRAME_NS = 20 * NS_PER_MS
ACCOUNTS = Accounts(0, 0, 0, 0, 0, 0)


class Ticking:
    """A defence in a mansion, and ticks for it."""

    def __init__(self, mansion: Mansion) -> None:
        self.mansion, self.detector = mansion, Detector()
        self.applied: list[Measures] = []
        self.waiting: list[bool] = []
        """Alarms, one for each of the next ticks."""
        self.alarmed = 0
        self.defence = Defence(
            mansion.board,
            self.detector,
            self.applied.append,
            alarm=lambda: bool(self.waiting) and self.waiting.pop(0),
            alarmed=self._count,
        )
        self._due_ns = 0

    def _count(self) -> None:
        self.alarmed += 1

    def ticks(self, seconds: float, *, late_ms: int = 0, work_ms: int = 2) -> None:
        """Every tick of them comes and works like that."""
        for _ in range(round(seconds * 50)):
            self._due_ns += FRAME_NS
            due, late = self._due_ns, late_ms * NS_PER_MS
            work = work_ms * NS_PER_MS
            self.defence.tick(
                Tick(due, due - FRAME_NS, due + late, work, FRAME_NS, due + late + work, ACCOUNTS)
            )


def test_the_board_shows_the_breaker_and_counts_its_changes(mansion: Mansion) -> None:
    ticking = Ticking(mansion)
    ticking.ticks(1)
    assert mansion.counted("breaker_state") == Breaker.CLOSED
    ticking.ticks(0.06, late_ms=25)
    assert mansion.counted("breaker_state") == Breaker.OPEN
    ticking.ticks(5)
    assert mansion.counted("breaker_state") == Breaker.HALF_OPEN
    ticking.ticks(5)
    assert mansion.counted("breaker_state") == Breaker.CLOSED
    counts = [mansion.counted(f"breaker_to_{s}") for s in ("open", "half_open", "closed")]
    assert counts == [1, 1, 1]


def test_a_process_that_starts_anew_begins_closed_and_counts_on(mansion: Mansion) -> None:
    ticking = Ticking(mansion)
    ticking.ticks(1)
    ticking.ticks(0.06, late_ms=25)
    mansion.board.publish()
    mansion.boot()
    Ticking(mansion).ticks(0.02)
    assert mansion.counted("breaker_state") == Breaker.CLOSED
    assert mansion.counted("breaker_to_open") == 1


def test_each_step_of_the_ladder_is_applied_once_counted_and_shown(mansion: Mansion) -> None:
    ticking = Ticking(mansion)
    ticking.ticks(2)
    assert ticking.applied == []
    ticking.ticks(5.5, work_ms=30)
    assert ticking.applied == list(LEVELS[1:4])
    assert (mansion.counted("ladder_level"), mansion.counted("ladder_down")) == (3, 3)
    ticking.ticks(31)
    assert ticking.applied[3:] == [LEVELS[2]]
    assert (mansion.counted("ladder_level"), mansion.counted("ladder_up")) == (2, 1)


def test_half_open_is_lived_through_at_level_1(mansion: Mansion) -> None:
    ticking = Ticking(mansion)
    ticking.ticks(1)
    ticking.ticks(0.06, late_ms=25)
    ticking.ticks(6)
    assert mansion.counted("ladder_level") >= 1
    assert LEVELS[1] in ticking.applied


def test_an_alarm_is_counted_and_told_and_three_in_a_row_are_a_step(mansion: Mansion) -> None:
    ticking = Ticking(mansion)
    for _ in range(2):
        ticking.waiting = [True]
        ticking.ticks(1)
    assert (mansion.counted("scheduling_alarms"), ticking.alarmed) == (2, 2)
    assert ticking.applied == []
    ticking.waiting = [True]
    ticking.ticks(0.02)
    assert (mansion.counted("scheduling_alarms"), ticking.alarmed) == (3, 3)
    assert ticking.applied == [LEVELS[1]]
    assert (mansion.counted("ladder_level"), mansion.counted("ladder_down")) == (1, 1)
