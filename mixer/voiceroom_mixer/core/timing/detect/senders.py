"""The senders' clocks as witnesses: when all of them run alike against ours, ours is wrong.

Transit (arrival on RAW minus RTP timestamp) has the slope "RAW against the sender". One sender may
be off by its crystal, a shared path may fill a queue; the median of at least three, alike in both
halves of the time, is neither.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.observations import SenderPoint
from voiceroom_mixer.core.timing.detect.slope import slope_ppm
from voiceroom_mixer.core.timing.detect.verdicts import Claim, Evidence

MAX_SENDERS: Final = 64
"""More witnesses make nothing surer; further senders are counted and left out."""
STALE_NS: Final = 3 * matrix.RATE_POINT_NS


class SenderWatch:
    """Fits every sender, judges by the median once a second."""

    def __init__(self) -> None:
        self._points: dict[int, deque[tuple[int, int]]] = {}
        self._over = 0
        self._judge_ns = 0
        self.left_out = 0
        self.ppm = 0.0
        """RAW against the median sender; 0 until three are known."""

    def add(self, point: SenderPoint) -> None:
        """A second of one sender."""
        series = self._points.get(point.sender)
        if series is None:
            if len(self._points) >= MAX_SENDERS:
                self.left_out += 1
                return
            series = self._points[point.sender] = deque(maxlen=matrix.RATE_POINTS)
        if series and abs(point.low_ns - series[-1][1]) > matrix.SENDER_STEP_NS:
            series.clear()
        series.append((point.at_ns, point.low_ns))

    def judge(self, raw_ns: int, mono_ns: int, raw_ppm: float) -> Claim | None:
        """At most once a second; ``raw_ppm`` is RAW against MONOTONIC."""
        if raw_ns < self._judge_ns:
            return None
        self._judge_ns = raw_ns + matrix.RATE_POINT_NS
        self._forget(raw_ns)
        series = [list(s) for s in self._points.values() if len(s) == matrix.RATE_POINTS]
        whole = self._agreed(series)
        self.ppm = whole or 0.0
        # A crystal that NTP has put right is off against RAW only; a slew against MONOTONIC only.
        wrong = whole is not None and self._is_wrong(whole, series, raw_ppm)
        self._over = self._over + 1 if wrong else 0
        if self._over < matrix.RATE_CONFIRM:
            return None
        return self._claim(mono_ns, len(series), raw_ppm)

    def _claim(self, mono_ns: int, senders: int, raw_ppm: float) -> Claim:
        begin_ns = mono_ns - matrix.RATE_POINTS * matrix.RATE_POINT_NS
        evidence = (
            Evidence("raw against the median sender", self.ppm, "ppm"),
            Evidence("raw/monotonic", raw_ppm, "ppm"),
            Evidence("senders", senders, "count"),
        )
        return Claim("rate", begin_ns, round(abs(self.ppm) * 1e3), evidence)

    def _is_wrong(self, whole: float, series: list[list[tuple[int, int]]], raw_ppm: float) -> bool:
        if min(abs(whole), abs(whole - raw_ppm)) <= matrix.SENDERS_PPM:
            return False
        half = matrix.RATE_POINTS // 2
        halves = [
            self._agreed([s[:half] for s in series]),
            self._agreed([s[half:] for s in series]),
        ]
        return all(part is not None and part * whole > 0 for part in halves) and _even(halves)

    def _agreed(self, series: list[list[tuple[int, int]]]) -> float | None:
        """The median slope, if half of at least three senders are near it."""
        if len(series) < matrix.MIN_SENDERS:
            return None
        slopes = [slope_ppm(points) for points in series]
        middle = median(slopes)
        near = median(abs(slope - middle) for slope in slopes)
        limit = max(matrix.SENDERS_SPREAD_PPM, abs(middle) / 2)
        return middle if near <= limit else None

    def _forget(self, raw_ns: int) -> None:
        gone = [key for key, s in self._points.items() if raw_ns - s[-1][0] > STALE_NS]
        for key in gone:
            del self._points[key]


def _even(halves: list[float | None]) -> bool:
    """Neither half is more than twice the other, noise aside."""
    first, second = (abs(part or 0.0) for part in halves)
    low, high = sorted((first, second))
    return high <= 2 * low + matrix.SENDERS_SPREAD_PPM
