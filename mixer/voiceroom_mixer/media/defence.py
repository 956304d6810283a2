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


class Defence:
    """One media process's. ``tick`` after every tick, when its packets have left."""

    def __init__(self, board: Board, detector: Detector, apply: Callable[[Measures], None]) -> None:
        """``apply`` is told what holds from the next tick on, at each step of the ladder."""
        self.guard = Guard()
        self._board, self._detector, self._apply = board, detector, apply
        self._state, self._level = Breaker.CLOSED, 0
        board.values[_STATE], board.values[_LEVEL] = self._state, 0  # not a predecessor's

    def tick(self, tick: Tick) -> None:
        """What the detectors have just looked at."""
        detector = self._detector
        state, level = self.guard.tick(
            tick, step_ns=detector.step_ns, contradicts=detector.contradicts
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
