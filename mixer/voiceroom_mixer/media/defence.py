"""The breaker in the media process: told of every tick, shown on the board."""

from __future__ import annotations

from typing import Final

from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.guard import Guard
from voiceroom_mixer.core.timing.detect.detector import Detector
from voiceroom_mixer.core.timing.detect.observations import Tick
from voiceroom_mixer.media.board import Board

_STATE: Final = Board.INDEX["breaker_state"]
_TO: Final = {state: Board.INDEX[f"breaker_to_{state.name.lower()}"] for state in Breaker}


class Defence:
    """One media process's. ``tick`` after every tick, when its packets have left."""

    def __init__(self, board: Board, detector: Detector) -> None:
        self.guard = Guard()
        self._board, self._detector = board, detector
        self._state = Breaker.CLOSED
        board.values[_STATE] = self._state  # a predecessor's may stand there

    def tick(self, tick: Tick) -> None:
        """What the detectors have just looked at."""
        detector = self._detector
        state = self.guard.tick(tick, step_ns=detector.step_ns, contradicts=detector.contradicts)
        if state is not self._state:
            self._state = state
            self._board.values[_STATE] = state
            self._board.values[_TO[state]] += 1
