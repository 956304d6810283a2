"""The live line in a terminal: participants, talkers, lateness, late and skipped ticks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TextIO

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.export.figures import counter, worst_figures
from voiceroom_mixer.edge.shm import Segment

EVERY_NS: Final = NS_PER_S
_ERASE: Final = "\r\x1b[K"


def status_line(segments: Sequence[Segment], participants: int) -> str:
    """One line; lateness of the last 30 s in milliseconds."""
    figures = worst_figures(segments)
    talkers = sum(counter(segment, "talkers") for segment in segments)
    late = figures["latenessMs"]
    return (
        f"{participants} in, {talkers} talking | "
        f"tick lateness p50 {late['p50']:.2f} ms, p99 {late['p99']:.2f} ms | "
        f"{figures['late']} late, {figures['skipped']} skipped of {figures['total']} ticks"
    )


class StatusLine:
    """Redraws the line in place; only where ``stream`` is a terminal."""

    def __init__(
        self, stream: TextIO, segments: Sequence[Segment], participants: Callable[[], int]
    ) -> None:
        self._stream = stream
        self._segments = segments
        self._participants = participants
        self.enabled = stream.isatty()

    def draw(self, _now_ns: int) -> None:
        """Call it every ``EVERY_NS``."""
        if self.enabled:
            line = status_line(self._segments, self._participants())
            self._stream.write(_ERASE + line)
            self._stream.flush()

    def erase(self) -> None:
        """Leave the line empty for what is printed next."""
        if self.enabled:
            self._stream.write(_ERASE)
            self._stream.flush()
