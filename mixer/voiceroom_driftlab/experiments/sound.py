"""What a tick that is late does to a tone: gaps, clicks, a shifted phase, noise above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from voiceroom_api.units import NS_PER_S, SAMPLE_RATE
from voiceroom_driftlab.experiments.spread import Floats
from voiceroom_driftlab.experiments.trace import Nanoseconds

TONE_HZ: Final = 997.0
"""That of AES17: frames of 10 and 20 ms end all over its wave, not always where it is zero."""
HIGH_HZ: Final = 4_000.0
"""Energy from here on is not the tone's."""
_CLICK: Final = 0.1
"""Of the amplitude: by so much a sample differs from what the two before it foretell. A faultless
tone of 1 kHz differs by nothing, one in 16 bits by 0.0001."""
_WINDOW: Final = SAMPLE_RATE // 100
"""10 ms: ten periods of the tone, over which its phase is fitted."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone as it arrived."""

    phase_shift_samples: float
    """How much later its end is than its beginning says, modulo one period."""
    clicks: int
    high_db: float
    """Energy above ``HIGH_HZ`` against that of the tone."""
    silent_ms: float


def sine(samples: int, hz: float = TONE_HZ, start: int = 0) -> Floats:
    """Amplitude 1."""
    wave: Floats = np.sin(2 * np.pi * hz * (start + np.arange(samples)) / SAMPLE_RATE)
    return wave


def played(late_ns: Nanoseconds, period_ns: int, slack_ns: int) -> Floats:
    """A tone that leaves in frames, each so late, as a sink plays it that holds ``slack_ns``.

    Where a frame is not there in time the sink plays silence until it is, and until it holds as
    much as before: from then on everything is as much later as that frame was.
    """
    frame = period_ns * SAMPLE_RATE // NS_PER_S
    parts: list[Floats] = []
    anchor_ns = 0
    for n, late in enumerate(late_ns.tolist()):
        if late - anchor_ns > slack_ns:
            parts.append(np.zeros(round((late - anchor_ns) * SAMPLE_RATE / NS_PER_S)))
            anchor_ns = late
        parts.append(sine(frame, start=n * frame))
    return np.concatenate(parts) if parts else np.zeros(0)


def analyse(pcm: Floats, hz: float = TONE_HZ) -> Tone:
    """Of a tone with amplitude 1, at least 20 ms of it. Raises ``ValueError`` for less."""
    if len(pcm) < 2 * _WINDOW:
        raise ValueError(f"{len(pcm)} samples are less than 20 ms of sound")
    return Tone(
        _phase_shift(pcm, hz), clicks(pcm, hz), _high_db(pcm, hz),
        1e3 * _silent(pcm) / SAMPLE_RATE,
    )  # fmt: skip


def clicks(pcm: Floats, hz: float = TONE_HZ, limit: float = _CLICK) -> int:
    """Where the wave breaks; what is within 1 ms is one click.

    A sine obeys ``x[n] = 2 cos(w) x[n-1] - x[n-2]``: what is left of it is a discontinuity.
    """
    w = 2 * np.pi * hz / SAMPLE_RATE
    broken = np.flatnonzero(np.abs(pcm[2:] - 2 * np.cos(w) * pcm[1:-1] + pcm[:-2]) > limit)
    if not broken.size:
        return 0
    return 1 + int((np.diff(broken) > SAMPLE_RATE // 1_000).sum())


def _silent(pcm: Floats) -> int:
    """Samples in runs of zeros that are longer than a zero crossing."""
    zero = np.concatenate(([0], (pcm == 0).astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(zero))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs > 2].sum())


def phase(pcm: Floats, hz: float, start: int) -> float:
    """Of the tone in ``pcm``, whose first sample is number ``start``; radians."""
    at = 2 * np.pi * hz * (start + np.arange(len(pcm))) / SAMPLE_RATE
    return float(np.angle(np.sum(pcm * np.exp(-1j * at))))


def _phase_shift(pcm: Floats, hz: float) -> float:
    end = len(pcm) - _WINDOW
    turned = phase(pcm[:_WINDOW], hz, 0) - phase(pcm[end:], hz, end)
    return float((turned % (2 * np.pi)) / (2 * np.pi) * SAMPLE_RATE / hz)


def _high_db(pcm: Floats, hz: float) -> float:
    power = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))) ** 2
    at = np.fft.rfftfreq(len(pcm), 1 / SAMPLE_RATE)
    tone = float(power[np.abs(at - hz) < hz / 2].sum())
    high = float(power[at >= HIGH_HZ].sum())
    return 10 * float(np.log10((high + 1e-30) / (tone + 1e-30)))
