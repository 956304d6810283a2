"""Control's event loop by its pulse: named while it is blocked, and by what blocks it."""

from __future__ import annotations

from typing import Any

import pytest

from voiceroom_mixer.core.timing.detect.detector import Books, LoopDetector
from voiceroom_mixer.core.timing.detect.observations import Accounts

MS = 1_000_000
FRAME_MS = 20
START_MS = 5_000


class Control:
    """A control process in virtual time, with media's ticks beside it."""

    def __init__(self) -> None:
        self.detector = LoopDetector()
        self.now_ms = START_MS
        self.beat_ms = self.witness_ms = START_MS
        self.own_ms = self.others_ms = self.waited_ms = self.throttled_ms = 0.0
        self.alive, self.stopped = True, False
        self.reads = 0
        self.run(1_000)

    def run(self, for_ms: int, **spent: float) -> list[str | None]:
        """All is well; what is said after each tick."""
        return self._ticks(for_ms, beats=True, witnessed=True, spent=spent)

    def block(self, for_ms: int, *, witnessed: bool = True, **spent: float) -> list[str | None]:
        """The loop stands still; ``spent``: what the books say of each ms."""
        return self._ticks(for_ms, beats=False, witnessed=witnessed, spent=spent)

    def _ticks(
        self, for_ms: int, *, beats: bool, witnessed: bool, spent: dict[str, float]
    ) -> list[str | None]:
        said: list[str | None] = []
        for _ in range(for_ms // FRAME_MS):
            self.now_ms += FRAME_MS
            for name, share in spent.items():
                setattr(self, name, getattr(self, name) + share * FRAME_MS)
            if beats:
                self.beat_ms = self.now_ms // 50 * 50
            if witnessed:
                self.witness_ms = self.now_ms // 100 * 100
            verdict = self.detector.feel(
                self.beat_ms * MS, self.witness_ms * MS, FRAME_MS * MS, self._read
            )
            said.append(verdict.kind if verdict else None)
        return said

    def _read(self) -> Books | None:
        self.reads += 1
        own, others, waited, throttled = (
            round(ms * MS)
            for ms in (self.own_ms, self.others_ms, self.waited_ms, self.throttled_ms)
        )
        accounts = Accounts(1 + own, 1 + own + others, waited, 0, throttled, 0)
        return (accounts, self.stopped) if self.alive else None


def test_a_loop_that_is_blocked_is_named_while_it_is() -> None:
    control = Control()
    said = control.block(400)
    assert said.index("loop-block") * FRAME_MS <= 280
    verdict = control.detector.verdict
    assert verdict is not None
    assert START_MS + 1_000 <= verdict.since_ns / MS <= START_MS + 1_000 + 50
    named = {one.name: one.value for one in verdict.evidence}
    assert named["control's heartbeat overdue"] >= 200
    assert named["witness late"] == 0


def test_a_short_silence_is_nobodys_business() -> None:
    control = Control()
    assert set(control.block(200)) == {None}
    assert set(control.run(3_000)) == {None}


def test_the_word_is_held_for_two_seconds_of_ticks_and_then_over() -> None:
    control = Control()
    control.block(600)
    said = control.run(4_000)
    assert said[-1] is None
    assert 1_900 <= said.count("loop-block") * FRAME_MS <= 2_200
    assert control.detector.report()["raised"]["loop-block"] == 1


CAUSES: list[tuple[str, dict[str, Any]]] = [
    ("loop-block", {"own_ms": 1.0}),  # a callback that computes
    ("gil", {"others_ms": 1.0, "witnessed": False}),
    ("gil", {"witnessed": False}),  # a call that keeps the interpreter and sleeps
    ("starved", {"waited_ms": 0.9, "witnessed": False}),
    ("starved", {"waited_ms": 0.9}),
    ("throttle", {"waited_ms": 0.9, "throttled_ms": 0.9, "witnessed": False}),
]


@pytest.mark.parametrize(("cause", "how"), CAUSES)
def test_what_keeps_it_from_running_is_told_apart(cause: str, how: dict[str, Any]) -> None:
    said = Control().block(500, **how)
    assert set(said) == {None, cause}


def test_who_is_stopped_by_a_signal_is_frozen() -> None:
    control = Control()
    control.stopped = True
    assert set(control.block(500, witnessed=False)) == {None, "freeze"}


def test_who_is_gone_is_not_blocked() -> None:
    control = Control()
    control.alive = False
    assert set(control.block(2_000, witnessed=False)) == {None}


def test_another_process_begins_anew_and_is_late_with_nothing_until_it_beats() -> None:
    control = Control()
    control.block(180)
    control.detector.begin_anew()
    control.beat_ms = 0
    assert set(control.block(2_000)) == {None}
    control.beat_ms = control.now_ms
    assert set(control.run(1_000)) == {None}
    assert "loop-block" in control.block(400)


def test_a_stop_of_media_itself_makes_control_late_with_nothing() -> None:
    control = Control()
    control.now_ms += 3_000  # nothing was mixed meanwhile
    assert set(control.run(100)) == {None}
    assert set(control.block(160)) == {None}


def test_the_books_are_opened_with_each_beat_and_seldom_while_there_is_none() -> None:
    control = Control()
    control.reads = 0
    control.run(1_000)
    assert control.reads <= 21
    control.reads = 0
    control.block(10_000)
    assert control.reads <= 200
