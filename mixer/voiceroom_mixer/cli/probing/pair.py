"""Two clients in one room: each must hear the other, and not itself."""

from __future__ import annotations

import select
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.cli.probing.leg import ProbeLeg
from voiceroom_mixer.cli.probing.signalling import Link
from voiceroom_mixer.cli.probing.tones import level_dbfs

TONES_HZ: Final = (500.0, 850.0)
HEARD_DBFS: Final = -30.0
"""The other's tone leaves at -12; quieter than this it was not heard."""
APART_DB: Final = 20.0
"""So much quieter than the other's must one's own tone be."""
_STEP_NS: Final = 2 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Heard:
    """What one of the two clients heard at the end."""

    other_dbfs: float
    own_dbfs: float
    packets: int
    lost: int

    @property
    def fine(self) -> bool:
        """The other, and not itself."""
        return self.other_dbfs >= HEARD_DBFS and self.own_dbfs <= self.other_dbfs - APART_DB

    def to_dict(self) -> dict[str, float | int | bool]:
        """For JSON."""
        return {
            "fine": self.fine,
            "otherDbfs": round(self.other_dbfs, 1),
            "ownDbfs": round(self.own_dbfs, 1),
            "packets": self.packets,
            "lost": self.lost,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """How it went."""

    connected_s: float
    """From the first offer until both had DTLS."""
    heard: tuple[Heard, Heard]

    @property
    def fine(self) -> bool:
        """Both."""
        return all(one.fine for one in self.heard)

    def lines(self) -> list[str]:
        """In words."""
        said = [f"both connected after {self.connected_s:.2f} s"]
        for number, one in enumerate(self.heard, 1):
            said.append(
                f"client {number} hears the other at {one.other_dbfs:.0f} dBFS, itself at "
                f"{one.own_dbfs:.0f}: {'fine' if one.fine else 'WRONG'} "
                f"({one.packets} packets, {one.lost} lost)"
            )
        return said

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        clients = [one.to_dict() for one in self.heard]
        return {
            "fine": self.fine,
            "connectedSeconds": round(self.connected_s, 3),
            "clients": clients,
        }


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both in nanoseconds."""

    monotonic_ns: Callable[[], int]
    wall_ns: Callable[[], int]


def probe(
    links: tuple[Link, Link],
    clocks: Clocks,
    *,
    listen_s: float,
    timeout_s: float,
    tls: ssl.SSLContext | None = None,
) -> Report:
    """Join both, listen for ``listen_s`` seconds and compare the last half of it.

    Raises ``ConnectionError``: one of them could not join, or was not connected in ``timeout_s``.
    """
    wall = clocks.wall_ns()
    legs = [ProbeLeg(link, hz, wall, tls) for link, hz in zip(links, TONES_HZ, strict=True)]
    try:
        begin = clocks.monotonic_ns()
        for leg in legs:
            leg.join()
        deadline = begin + int(timeout_s * NS_PER_S)
        _pump(legs, clocks, deadline, lambda: all(leg.connected for leg in legs))
        _need_connected(legs, timeout_s)
        connected = clocks.monotonic_ns()
        _pump(legs, clocks, connected + int(listen_s * NS_PER_S), lambda: False)
        first, second = (_heard(leg, listen_s / 2) for leg in legs)
        return Report((connected - begin) / NS_PER_S, (first, second))
    finally:
        for leg in legs:
            leg.close()


def _pump(legs: list[ProbeLeg], clocks: Clocks, deadline_ns: int, done: Callable[[], bool]) -> None:
    sockets = [sock for leg in legs for sock in leg.sockets()]
    while (now := clocks.monotonic_ns()) < deadline_ns and not done():
        for leg in legs:
            leg.step(now)
        select.select(sockets, [], [], _STEP_NS / NS_PER_S)


def _need_connected(legs: list[ProbeLeg], timeout_s: float) -> None:
    missing = [str(number) for number, leg in enumerate(legs, 1) if not leg.connected]
    if missing:
        raise ConnectionError(
            f"client {' and '.join(missing)}: no media within {timeout_s:g} s; is UDP open to the "
            "addresses in status.endpoint.udp?"
        )


def _heard(leg: ProbeLeg, seconds: float) -> Heard:
    other = next(hz for hz in TONES_HZ if hz != leg.hz)
    pcm = leg.sound(seconds)
    return Heard(level_dbfs(pcm, other), level_dbfs(pcm, leg.hz), leg.packets, leg.lost)
