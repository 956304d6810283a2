"""Two resamplers: a fixed one for foreign sample rates, a live one for clock skew.

``FractionalResampler`` follows a sender whose crystal is some ppm off ours: a 16-tap windowed
sinc whose taps are polynomials of the fractional position (Farrow 1988), so that the ratio may
change at any moment; the position never jumps, so a change of ratio is not heard. The position is
a fixed-point integer: an hour of it accumulates no rounding error.
"""

from __future__ import annotations

from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_api.units import SAMPLE_RATE
from voiceroom_mixer.core.receive.source import Pcm

MAX_SKEW_PPM: Final = 500.0
MIN_RATE: Final = 4_000
MAX_RATE: Final = 192_000

_TAPS: Final = 16
_BEFORE: Final = _TAPS // 2 - 1
_DEGREE: Final = 5
_FRACTION_BITS: Final = 32
_ONE: Final = 1 << _FRACTION_BITS
_WINDOW_BETA: Final = 7.0


def _windowed_sinc(
    at: NDArray[np.float64], half_width: float, cutoff: float
) -> NDArray[np.float64]:
    """A Kaiser-windowed sinc at offsets ``at`` (input samples); ``cutoff`` 1.0 is Nyquist."""
    inside = np.clip(1.0 - (at / half_width) ** 2, 0.0, None)
    window = np.i0(_WINDOW_BETA * np.sqrt(inside)) / np.i0(_WINDOW_BETA)
    shape: NDArray[np.float64] = cutoff * np.sinc(cutoff * at) * window
    return np.where(np.abs(at) < half_width, shape, 0.0)


def _farrow_taps() -> NDArray[np.float32]:
    """Shape (taps, degree + 1): each tap as a polynomial of the fraction, constant term first."""
    fraction = np.linspace(0.0, 1.0, 65)
    offsets = np.arange(_TAPS)[None, :] - _BEFORE - fraction[:, None]
    kernel = _windowed_sinc(offsets, _TAPS / 2, 1.0)
    powers = np.vander(fraction, _DEGREE + 1, increasing=True)
    solution, *_ = np.linalg.lstsq(powers, kernel, rcond=None)
    return np.ascontiguousarray(solution.T, dtype=np.float32)


FARROW: Final = _farrow_taps()
"""The live resampler's taps, shape (16, 6), float32."""


class FractionalResampler:
    """48 kHz in, 48 kHz of another clock out; ratio 1 ± 500 ppm, changeable between two calls.

    A bounded buffer: what does not fit pushes out the oldest samples, counted in
    ``dropped_samples``. While the skew is 0 and has always been, samples pass bit-exactly.
    """

    LOOKAHEAD: Final = _TAPS - 1 - _BEFORE
    """Samples that must have been pushed beyond the one that is pulled (8, 0.17 ms)."""

    def __init__(self, capacity: int = 9_600) -> None:
        """``capacity``: most input samples held."""
        self._buffer = np.zeros(2 * (capacity + _TAPS), np.float32)
        self.address = self._buffer.ctypes.data
        """Of the buffer's first sample. A kernel works on it and on the numbers below in place."""
        self.size = len(self._buffer)
        self._capacity = capacity
        self.step = _ONE
        """Input samples to an output sample, 32.32 bits."""
        self._ppm = 0.0
        self.dropped_samples = 0
        self.reset()

    def reset(self) -> None:
        """Forget all samples and the fractional position; the skew stays."""
        self._buffer[:_BEFORE] = 0.0
        self.start = 0
        """First sample in the buffer that is still needed."""
        self.end = _BEFORE
        """Behind the last sample in the buffer."""
        self.fraction = 0
        """Of the position of the next output sample, 0.32 bits."""

    @property
    def skew_ppm(self) -> float:
        """How many ppm more input than output is consumed (a fast sender is positive)."""
        return self._ppm

    @skew_ppm.setter
    def skew_ppm(self, ppm: float) -> None:
        """Held within ±``MAX_SKEW_PPM``."""
        self._ppm = min(max(ppm, -MAX_SKEW_PPM), MAX_SKEW_PPM)
        self.step = _ONE + round(self._ppm * 1e-6 * _ONE)

    @property
    def buffered(self) -> int:
        """Input samples not yet played, the look-ahead included."""
        return self.end - self.start - _BEFORE

    @property
    def available(self) -> int:
        """Output samples that ``pull`` can give now."""
        span = ((self.buffered - self.LOOKAHEAD) << _FRACTION_BITS) - self.fraction
        return 0 if span <= 0 else -(-span // self.step)

    def push(self, samples: Pcm) -> None:
        """Take samples in, shape (n,); the oldest fall out when the buffer is full."""
        samples = samples[-self._capacity :]
        self._drop(self.buffered + len(samples) - self._capacity)
        if self.end + len(samples) > self.size:
            self._compact()
        self._buffer[self.end : self.end + len(samples)] = samples
        self.end += len(samples)

    def make_room(self, samples: int) -> bool:
        """Whether ``samples`` can be appended in place, with nothing pushed out."""
        if self.buffered + samples > self._capacity:
            return False
        if self.end + samples > self.size:
            self._compact()
        return True

    def _compact(self) -> None:
        kept = self.end - self.start
        self._buffer[:kept] = self._buffer[self.start : self.end].copy()
        self.start, self.end = 0, kept

    def _drop(self, samples: int) -> None:
        if samples > 0:
            self.start += samples
            self.dropped_samples += samples

    def pull(self, samples: int) -> Pcm | None:
        """The next ``samples`` output samples, or None when fewer are ``available``."""
        out = np.empty(samples, np.float32)
        return out if self.pull_into(out) else None

    def pull_into(self, out: Pcm) -> bool:
        """Fill ``out`` whole, or leave everything as it is and return False."""
        samples = len(out)
        if self.available < samples:
            return False
        if self.step == _ONE and self.fraction == 0:
            at = self.start + _BEFORE
            out[:] = self._buffer[at : at + samples]
        elif self.step == _ONE:
            self._shift(out)
        else:
            self._interpolate(out)
        position = self.fraction + samples * self.step
        self.start += position >> _FRACTION_BITS
        self.fraction = position & (_ONE - 1)
        return True

    def _shift(self, out: Pcm) -> None:
        """A standing fraction of a sample: one kernel serves the whole frame, at a third of the
        cost."""
        fraction = self.fraction / _ONE
        kernel = FARROW @ (fraction ** np.arange(_DEGREE + 1)).astype(np.float32)
        used = self._buffer[self.start : self.start + len(out) + _TAPS - 1]
        out[:] = np.correlate(used, kernel, "valid")

    def _interpolate(self, out: Pcm) -> None:
        position = self.fraction + np.arange(len(out), dtype=np.int64) * self.step
        whole = position >> _FRACTION_BITS
        fraction = (position & (_ONE - 1)).astype(np.float32) * np.float32(1.0 / _ONE)
        rows = int(whole[-1]) + 1
        step = self._buffer.itemsize
        at = self.start * step
        windows = np.ndarray((rows, _TAPS), np.float32, self._buffer, at, (step, step))
        terms = (np.ascontiguousarray(windows) @ FARROW).take(whole, axis=0)
        np.copyto(out, terms[:, _DEGREE])
        for power in range(_DEGREE - 1, -1, -1):
            out *= fraction
            out += terms[:, power]


class RateConverter:
    """PCM of one fixed rate to 48 kHz, streaming; polyphase windowed sinc.

    Output is whole: ``convert`` gives every sample that its input determines, so a 20 ms frame in
    gives 960 out on average (the filter's delay comes once, at the start).
    """

    ZERO_CROSSINGS: Final = 16

    def __init__(self, rate_hz: int) -> None:
        """Raises ``ValueError`` for a rate outside ``MIN_RATE``..``MAX_RATE``."""
        if not MIN_RATE <= rate_hz <= MAX_RATE:
            raise ValueError(f"sample rate {rate_hz} Hz: must be {MIN_RATE}..{MAX_RATE}")
        common = gcd(rate_hz, SAMPLE_RATE)
        self._up = SAMPLE_RATE // common
        self._down = rate_hz // common
        self._half = self.ZERO_CROSSINGS * max(1, -(-self._down // self._up))
        self._phases = self._design()
        self._history = np.zeros(self._half - 1, np.float32)
        self._position = 0

    def _design(self) -> NDArray[np.float32]:
        """Shape (phases, taps); 0.94 of the lower Nyquist leaves room for the slope."""
        cutoff = 0.94 * min(1.0, self._up / self._down)
        fraction = np.arange(self._up)[:, None] / self._up
        offsets = np.arange(2 * self._half)[None, :] - (self._half - 1) - fraction
        taps = _windowed_sinc(offsets, self._half, cutoff)
        return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)

    def convert(self, samples: Pcm) -> Pcm:
        """The 48 kHz samples that have become known; shape (m,), m may be 0."""
        data = np.concatenate([self._history, samples]).astype(np.float32, copy=False)
        ready = len(data) - 2 * self._half + 1
        count = max(0, -(-(ready * self._up - self._position) // self._down))
        position = self._position + np.arange(count, dtype=np.int64) * self._down
        windows = np.lib.stride_tricks.sliding_window_view(data, 2 * self._half) if count else data
        out = self._filter(windows, position) if count else np.zeros(0, np.float32)
        passed = self._position + count * self._down
        keep = min(passed // self._up, len(data))
        self._position = passed - keep * self._up
        self._history = data[keep:].copy()
        return out

    def _filter(self, windows: NDArray[np.float32], position: NDArray[np.int64]) -> Pcm:
        taps = self._phases[position % self._up]
        rows = windows[position // self._up]
        return np.asarray(np.einsum("ij,ij->i", rows, taps), np.float32)
