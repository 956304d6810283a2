"""A twin's ear for its owner: heartbeats, doubt, a question to the others, and the decision.

Sans-IO. 400 ms without a beat raise doubt; the other pods of the pool and the operator are asked
whether they hear the owner; 100 ms later, without a single yes, it is gone. Silence counts only
while this pod ran itself: a twin that was stalled first listens again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.moving.messages import Ask, Beat, Tell

BEAT_NS: Final = 50 * NS_PER_MS
SILENCE_NS: Final = 400 * NS_PER_MS
ANSWER_NS: Final = 100 * NS_PER_MS
LOOK_NS: Final = 20 * NS_PER_MS
"""Between two looks, usually: of those the one nearest to the end of ``ANSWER_NS`` decides. That is
a whole number of looks after the question, but for what each tick takes."""
OWN_STALL_NS: Final = 150 * NS_PER_MS
"""Between two looks: longer, and what was missed was missed by us."""
HEARD_NS: Final = 200 * NS_PER_MS
"""A pod says that it hears another one if a beat came within this."""


class Phase(Enum):
    """What a twin believes of the owner."""

    UNKNOWN = auto()
    """No beat yet: an owner that was never heard is not missed."""
    HEARD = auto()
    DOUBTED = auto()
    """The others have been asked."""
    GONE = auto()


@dataclass(slots=True)
class Watch:
    """One pod, watched by another."""

    pod: bytes
    phase: Phase = Phase.UNKNOWN
    heard_ns: int = 0
    """Its last beat."""
    sequence: int = -1
    _silent_since_ns: int = 0
    """Silence counts from here: the last beat, or what made it be trusted without one."""
    _looked_ns: int = 0
    _asked_ns: int = 0
    _nonce: int = field(default=0)

    def beat(self, beat: Beat, now_ns: int) -> bool:
        """The owner's beat; False for a replay or another pod's. One that comes back from the
        dead is heard again; what its rooms are by then, epochs decide."""
        if beat.pod != self.pod or beat.sequence <= self.sequence:
            return False
        self.sequence, self.heard_ns = beat.sequence, now_ns
        self._trust(now_ns)
        return True

    def look(self, now_ns: int, nonce: Callable[[], int]) -> Ask | None:
        """Asked every tick. ``nonce``: draws a fresh, unguessable one for a question. Read
        ``phase`` afterwards: GONE means take over."""
        stalled = self._looked_ns and now_ns - self._looked_ns > OWN_STALL_NS
        self._looked_ns = now_ns
        if stalled and self.phase in (Phase.HEARD, Phase.DOUBTED):
            self._trust(now_ns)
        if self.phase is Phase.HEARD and now_ns - self._silent_since_ns >= SILENCE_NS:
            self.phase, self._asked_ns, self._nonce = Phase.DOUBTED, now_ns, nonce()
            return Ask(self.pod, self._nonce)
        if self.phase is Phase.DOUBTED and now_ns - self._asked_ns >= ANSWER_NS - LOOK_NS // 2:
            self.phase = Phase.GONE
        return None

    def told(self, tell: Tell, now_ns: int) -> None:
        """One yes is a veto: the cut is between the two alone, and silence begins anew."""
        if self.phase is Phase.DOUBTED and tell.nonce == self._nonce and tell.hears:
            self._trust(now_ns)

    def hears(self, now_ns: int) -> bool:
        """What this pod answers when another one asks."""
        return self.phase is Phase.HEARD and now_ns - self.heard_ns <= HEARD_NS

    def _trust(self, now_ns: int) -> None:
        self.phase, self._silent_since_ns = Phase.HEARD, now_ns
