"""Senders for mixer tests: exact, scripted, and counting what was asked of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.mix.levels import level_dbov
from voiceroom_mixer.core.receive.source import FrameKind, Pcm


class ScriptedSource:
    """A sender whose sound is a function of the sample number; time passes by pull and skip."""

    def __init__(
        self,
        sound: Callable[[NDArray[np.int64]], NDArray[np.float64] | Pcm],
        *,
        level: int | None = None,
        must_decode: bool = False,
        active: bool = True,
    ) -> None:
        self._sound = sound
        self._level = level
        self.must_decode = must_decode
        self.active = active
        self.at = 0
        self.pulls = 0
        self.skips = 0

    @property
    def level(self) -> int:
        """As said, or that of the next frame."""
        return self._level if self._level is not None else level_dbov(self.peek(960))

    @level.setter
    def level(self, level: int) -> None:
        self._level = level

    def peek(self, samples: int) -> Pcm:
        """The next samples, without any passing of time."""
        return np.asarray(self._sound(self.at + np.arange(samples)), np.float32)

    def pull(self, out: Pcm) -> FrameKind:
        """The next frame; all zero when the sender is not active."""
        self.pulls += 1
        if not self.active:
            out[:] = 0.0
            return FrameKind.SILENCE
        out[:] = self.peek(len(out))
        self.at += len(out)
        return FrameKind.AUDIO

    def skip(self, samples: int) -> None:
        """Time passes unheard."""
        self.skips += 1
        self.at += samples


def tone(
    hz: float, amplitude: float = 0.2, *, level: int | None = None, must_decode: bool = False
) -> ScriptedSource:
    """A sine."""
    return ScriptedSource(
        lambda n: amplitude * np.sin(2.0 * np.pi * hz * n / 48_000.0),
        level=level,
        must_decode=must_decode,
    )


def cosine(hz: float, amplitude: float, *, phase: float = 0.0, level: int) -> ScriptedSource:
    """A sine that begins at full swing: whatever cuts into it makes a step."""
    return ScriptedSource(
        lambda n: amplitude * np.cos(2.0 * np.pi * hz * n / 48_000.0 + phase), level=level
    )
