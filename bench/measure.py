"""One window under load: CPU of the server, what came back, what was stolen meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from bench import procfs
from bench.errors import BenchError
from bench.load import crowd
from bench.load.crowd import PlainServer, Seat
from bench.load.generator import LegPlan, Load, LoadWindow
from bench.procfs import Memory
from bench.settings import STOLEN_TOO_MUCH, Settings
from bench.ticks import Ticks


class Measured(Protocol):
    """Something whose CPU time counts."""

    @property
    def name(self) -> str:
        """As the table calls it."""

    def pids(self) -> list[int]:
        """All its processes."""


class Server(Measured, PlainServer, Protocol):
    """The same, with plain-RTP legs."""


class Windowed(Protocol):
    """A load that is under way."""

    def begin(self) -> None:
        """The measured window starts."""

    def end(self) -> LoadWindow:
        """It ends, and the load with it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One window."""

    cores: float
    """CPU seconds of the server a second."""
    processes: dict[str, float]
    """The same by process name."""
    stolen: float
    idle: float
    """Shares of all CPU time of the machine."""
    load: LoadWindow
    ticks: Ticks | None = None
    """The mixer's own record of the window; peers have none."""
    held: Memory | None = None
    """At the end of the window."""

    @property
    def inconclusive(self) -> bool:
        """Too much was stolen for the window to say anything."""
        return self.stolen > STOLEN_TOO_MUCH

    def to_dict(self) -> dict[str, Any]:
        """For the JSON of the run."""
        return {
            "cores": round(self.cores, 4),
            "processes": {name: round(cores, 4) for name, cores in self.processes.items()},
            "stolen": round(self.stolen, 4),
            "idle": round(self.idle, 4),
            "ticks": self.ticks.to_dict() if self.ticks else None,
            "memory_kib": asdict(self.held) if self.held else None,
            "load": self.load.raw,
        }


def _named_cpu_s(pids: Sequence[int]) -> dict[str, float]:
    """Raises ``BenchError`` when one of them is gone: its CPU time would be missing."""
    used: dict[str, float] = {}
    gone = [pid for pid in pids if not procfs.alive(pid)]
    if gone:
        raise BenchError(f"processes {gone} of the server ended while they were measured")
    for pid in pids:
        name = procfs.command_name(pid)
        used[name] = used.get(name, 0.0) + procfs.cpu_s([pid])
    return used


def nothing() -> None:
    """For those who do not look at the edges of a window."""


def watch(
    pids: Sequence[int], load: Windowed, seconds: float, edge: Callable[[], None] = nothing
) -> Sample:
    """Measure over ``seconds`` while ``load`` goes on; it ends then. ``edge`` is called at the
    window's beginning and at its end."""
    load.begin()
    edge()
    before, machine = _named_cpu_s(pids), procfs.machine_time()
    begin = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begin
    after, passed = _named_cpu_s(pids), procfs.machine_time().since(machine)
    processes = {name: (after[name] - before.get(name, 0.0)) / took for name in after}
    edge()
    window = load.end()
    return Sample(
        sum(processes.values()), processes, passed.stolen_share, passed.idle_share, window
    )


def run_load(
    server: Measured,
    seats: Sequence[Seat],
    legs: Sequence[LegPlan],
    s: Settings,
    *,
    frame_ms: int = 20,
    edge: Callable[[], None] = nothing,
) -> Sample:
    """Warm up, then measure. Raises ``BenchError`` when a leg hears nothing at all."""
    with Load(crowd.plan_of(seats, legs, frame_ms), legs) as load:
        time.sleep(s.warm_s)
        sample = watch(server.pids(), load, s.window_s, edge)
    deaf = len(legs) - sample.load.receiving_legs
    if deaf:
        raise BenchError(f"{server.name}: {deaf} of {len(legs)} legs received nothing")
    return sample


def plain(
    server: Server,
    seats: Sequence[Seat],
    s: Settings,
    *,
    frame_ms: int = 20,
    edge: Callable[[], None] = nothing,
) -> Sample:
    """Seat everybody by plain RTP, then measure."""
    with crowd.sockets(len(seats)) as socks:
        legs = [
            crowd.plain_leg(server, seat, i, sock)
            for i, (seat, sock) in enumerate(zip(seats, socks, strict=True))
        ]
        return run_load(server, seats, legs, s, frame_ms=frame_ms, edge=edge)
