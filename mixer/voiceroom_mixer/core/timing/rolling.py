"""Maxima over the last minute that any number of readers see alike."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import NS_PER_S

WINDOW_NS: Final = 60 * NS_PER_S
SLICES: Final = 12


class RollingMax:
    """The largest value of the last ``window_ns``, in rotating slices; reading resets nothing.

    A value stays for at least the window and at most one slice longer. With nothing observed the
    maximum is 0. Time that goes back counts as no time.
    """

    __slots__ = ("_current", "_slice_ns", "_slices")

    def __init__(self, window_ns: int = WINDOW_NS, slices: int = SLICES) -> None:
        self._slice_ns = window_ns // slices
        # One more than the window has, so that the oldest whole slice is still there.
        self._slices = [0] * (slices + 1)
        self._current = 0

    def observe(self, now_ns: int, value: int) -> None:
        """Take ``value`` (>= 0) in at ``now_ns``."""
        self._rotate(now_ns)
        at = self._current % len(self._slices)
        if value > self._slices[at]:
            self._slices[at] = value

    def maximum(self, now_ns: int) -> int:
        """The largest value of the window that ends at ``now_ns``."""
        self._rotate(now_ns)
        return max(self._slices)

    def _rotate(self, now_ns: int) -> None:
        target = now_ns // self._slice_ns
        if target <= self._current:
            return
        for index in range(max(self._current + 1, target - len(self._slices) + 1), target + 1):
            self._slices[index % len(self._slices)] = 0
        self._current = target
