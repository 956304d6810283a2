"""How long and how often things are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STOLEN_TOO_MUCH: Final = 0.05
"""Share of all CPU time: above it a window says nothing about either side."""
PORTS: Final = 21_000
"""Servers of the bench listen on 127.0.0.1 from here on."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Of a whole run."""

    warm_s: float = 3.0
    window_s: float = 10.0
    repeats: int = 2
    lateness_s: float = 60.0
    """Of the lateness cases, whose 99th percentile needs many ticks."""
    most_webrtc: int = 800
    """The ladders of WebRTC participants end here."""

    @classmethod
    def quick(cls) -> Settings:
        """A look at whether everything works; its figures are rough."""
        return cls(warm_s=2.0, window_s=4.0, repeats=1, lateness_s=10.0, most_webrtc=300)
