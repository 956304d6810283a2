"""Breaker and ladder in the media process: told of every tick, shown on the board, and obeyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.guard import Guard
from voiceroom_mixer.core.defend.measures import LEVELS, Measures
from voiceroom_mixer.core.timing.detect.detector import Detector
from voiceroom_mixer.core.timing.detect.observations import Tick
from voiceroom_mixer.media.board import Board

_STATE: Final = Board.INDEX["breaker_state"]
_TO: Final = {state: Board.INDEX[f"breaker_to_{state.name.lower()}"] for state in Breaker}
_LEVEL: Final = Board.INDEX["ladder_level"]
_DOWN: Final = Board.INDEX["ladder_down"]
_UP: Final = Board.INDEX["ladder_up"]
_ALARMS: Final = Board.INDEX["scheduling_alarms"]


class Defence:
    """One media process's. ``tick`` after every tick, when its packets have left."""

    def __init__(
        self,
        board: Board,
        detector: Detector,
        apply: Callable[[Measures], None],
        *,
        alarm: Callable[[], bool],
        alarmed: Callable[[], None],
    ) -> None:
        """``apply`` is told what holds from the next tick on, at each step of the ladder;
        ``alarm``: whether one of the scheduler has come since it was last asked; ``alarmed`` is
        called for each."""
        self.guard = Guard()
        self._alarm, self._alarmed = alarm, alarmed
        self._board, self._detector, self._apply = board, detector, apply
        self._state, self._level = Breaker.CLOSED, 0
        board.values[_STATE], board.values[_LEVEL] = self._state, 0  # not a predecessor's

    def tick(self, tick: Tick) -> None:
        """What the detectors have just looked at."""
        detector, alarmed = self._detector, self._alarm()
        if alarmed:
            self._board.values[_ALARMS] += 1
            self._alarmed()
        state, level = self.guard.tick(
            tick, step_ns=detector.step_ns, contradicts=detector.contradicts, alarmed=alarmed
        )
        if state is not self._state:
            self._state = state
            self._board.values[_STATE] = state
            self._board.values[_TO[state]] += 1
        if level != self._level:
            self._step(level)

    def _step(self, level: int) -> None:
        self._board.values[_DOWN if level > self._level else _UP] += 1
        self._board.values[_LEVEL] = self._level = level
        self._apply(LEVELS[level])
