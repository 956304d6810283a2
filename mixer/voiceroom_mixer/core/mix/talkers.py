"""Who is heard: the loudest few, without flutter; and who talks, for people to see.

Loudest-N by smoothed level. Whoever has a seat counts as 6 dB louder, and keeps it through a
pause of a breath; a pause costs him loudness little by little, so that a waiting talker gets in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp
from typing import Final, NamedTuple

from voiceroom_mixer.core.mix.levels import is_silent

SEAT_BONUS_DB: Final = 6.0
HOLD_MS: Final = 400
PAUSE_COST_DB_PER_MS: Final = 0.06
TALK_ON_MS: Final = 60
TALK_OFF_MS: Final = 400
_ATTACK_MS: Final = 30.0
_RELEASE_MS: Final = 200.0


class Candidate(NamedTuple):
    """A sender with sound in this frame."""

    slot: int
    level: int
    """-dBov, 0 loudest."""
    voice: bool = False
    """The sender's own V bit (RFC 6464)."""


class TalkEvent(NamedTuple):
    """A sender has begun (``on``) or stopped to talk."""

    slot: int
    on: bool


@dataclass(slots=True)
class _Voice:
    slot: int
    level: float
    voiced_ms: int = 0
    silent_ms: int = 0
    heard: bool = True
    seated: bool = False
    talking: bool = False

    @property
    def rank(self) -> tuple[float, int]:
        """Smaller is louder; equal levels go by slot, so that the choice is deterministic."""
        paused = self.silent_ms * PAUSE_COST_DB_PER_MS
        return self.level + paused - (SEAT_BONUS_DB if self.seated else 0.0), self.slot


class TalkerChooser:
    """State of all who talk or have just stopped; the silent cost nothing."""

    def __init__(self, seats: int, frame_ms: int) -> None:
        """``seats``: most talkers in the mix, 0 = everybody who is not silent."""
        self.seats = seats
        self.retime(frame_ms)
        self._voices: dict[int, _Voice] = {}
        self._events: list[TalkEvent] = []

    def retime(self, frame_ms: int) -> None:
        """Frames last so long from now on."""
        self._frame_ms = frame_ms
        self._attack = 1.0 - exp(-frame_ms / _ATTACK_MS)
        self._release = 1.0 - exp(-frame_ms / _RELEASE_MS)

    def knows(self, slot: int) -> bool:
        """Whether the sender talks or has just stopped."""
        return slot in self._voices

    def update(self, candidates: Iterable[Candidate]) -> tuple[int, ...]:
        """One frame: the slots that are heard, loudest first. Who is not named is silent."""
        for voice in self._voices.values():
            voice.heard = False
        for candidate in candidates:
            if not is_silent(candidate.level, voice=candidate.voice):
                self._hear(candidate)
        for voice in list(self._voices.values()):
            self._debounce(voice)
        return self._seat()

    def forget(self, slot: int) -> None:
        """The sender is gone or muted; when he talked, that ends now."""
        voice = self._voices.pop(slot, None)
        if voice is not None and voice.talking:
            self._events.append(TalkEvent(slot, False))

    def events(self) -> list[TalkEvent]:
        """What has happened since the last call; at most two for each sender and frame."""
        events, self._events = self._events, []
        return events

    def _hear(self, candidate: Candidate) -> None:
        voice = self._voices.get(candidate.slot)
        if voice is None:
            self._voices[candidate.slot] = _Voice(candidate.slot, float(candidate.level))
            return
        voice.heard = True
        rate = self._attack if candidate.level < voice.level else self._release
        voice.level += (candidate.level - voice.level) * rate

    def _debounce(self, voice: _Voice) -> None:
        if voice.heard:
            voice.silent_ms = 0
            voice.voiced_ms += self._frame_ms
            if voice.voiced_ms >= TALK_ON_MS and not voice.talking:
                voice.talking = True
                self._events.append(TalkEvent(voice.slot, True))
            return
        voice.silent_ms += self._frame_ms
        if not voice.talking:
            voice.voiced_ms = max(0, voice.voiced_ms - self._frame_ms)
        if voice.silent_ms >= max(HOLD_MS, TALK_OFF_MS):
            self.forget(voice.slot)

    def _seat(self) -> tuple[int, ...]:
        eligible = [voice for voice in self._voices.values() if voice.heard or voice.seated]
        eligible.sort(key=lambda voice: voice.rank)
        chosen = eligible[: self.seats] if self.seats else eligible
        for voice in eligible:
            voice.seated = False
        for voice in chosen:
            voice.seated = True
        return tuple(voice.slot for voice in chosen)
