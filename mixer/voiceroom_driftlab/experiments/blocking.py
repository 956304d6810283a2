"""A blocking read in a callback of an event loop, and how far it spreads (S3.1)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.experiments.echo import CONNECTIONS, Asked, Server, ask, serving
from voiceroom_mixer.edge import clock

BEFORE_S: Final = 1.0
AFTER_S: Final = 1.0
PLACES: Final = ("nowhere", "in a callback", "in an executor")
Series = list[tuple[float, float]]
"""(seconds from the read's begin, value)."""


@dataclass(frozen=True, slots=True)
class Spreading:
    """The path of a block, row by row as the board shows it."""

    place: str
    read_s: float
    timer_late_ms: float
    """The loop's own timer, at worst: the loop's lag."""
    ready: int
    """Callbacks that waited behind it, at worst."""
    queued_bytes: int
    """In the receive queues, at worst."""
    dropped: int
    rtt_p50_ms: float
    rtt_max_ms: float
    frozen: int
    """Connections of ``echo.CONNECTIONS`` that answered nothing until the read was over."""
    thread_late_ms: float
    """A ticker in a thread of its own beside the loop, at worst."""
    timeline: dict[str, Series]


def spread_of(place: str, read_s: float) -> Spreading:
    """One of ``PLACES``. Raises ``ValueError`` for another."""
    if place not in PLACES:
        raise ValueError(f"no place {place!r} for a read: one of {', '.join(PLACES)}")
    with _silent_peer(read_s) as read, serving() as server, _ticking() as late_ns:
        begin_ns = clock.monotonic_ns() + int(BEFORE_S * NS_PER_S)
        _schedule(server, place, begin_ns, read)
        seen = ask(server, begin_ns + int((read_s + AFTER_S) * NS_PER_S))
    frozen = CONNECTIONS - len(answering(seen, read)) if read.ended_ns else 0
    return _summary(place, read_s, begin_ns, server, seen, frozen, max(late_ns))


class _Read:
    """A read from somebody who says nothing, which gives up in the end."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.begun_ns = self.ended_ns = 0

    def __call__(self) -> None:
        self.begun_ns = clock.monotonic_ns()
        with contextlib.suppress(TimeoutError):
            self._sock.recv(1)
        self.ended_ns = clock.monotonic_ns()


def _schedule(server: Server, place: str, begin_ns: int, read: _Read) -> None:
    """At that moment of the loop."""
    begin: Callable[[], object] = read
    if place == "in an executor":
        begin = lambda: server.loop.run_in_executor(None, read)  # noqa: E731
    delay_s = (begin_ns - clock.monotonic_ns()) / NS_PER_S
    if place != "nowhere":
        server.loop.call_soon_threadsafe(server.loop.call_later, delay_s, begin)


@contextlib.contextmanager
def _silent_peer(read_s: float) -> Iterator[_Read]:
    """A read that gives up after so long."""
    ours, theirs = socket.socketpair()
    ours.settimeout(read_s)
    with ours, theirs:
        yield _Read(ours)


@contextlib.contextmanager
def _ticking() -> Iterator[list[int]]:
    """The lateness of a thread that ticks each 20 ms: what mixes, and is not the loop."""
    late_ns, over = [0], threading.Event()

    def run() -> None:
        due_ns = clock.monotonic_ns()
        while not over.is_set():
            due_ns += 20 * NS_PER_MS
            clock.sleep_until(due_ns)
            late_ns.append(clock.monotonic_ns() - due_ns)

    thread = threading.Thread(target=run, name="ticker")
    thread.start()
    try:
        yield late_ns
    finally:
        over.set()
        thread.join()


def _summary(
    place: str,
    read_s: float,
    begin_ns: int,
    server: Server,
    seen: Asked,
    frozen: int,
    late_ns: int,
) -> Spreading:
    answers = [(asked, answered - asked) for _, asked, answered in seen.answers]
    rtts = sorted(rtt for _, rtt in answers)
    return Spreading(
        place, read_s,
        max(late for _, late in server.lag_ns) / 1e6,
        max(ready for _, ready in server.ready),
        max(queued for _, queued in seen.queued),
        seen.dropped,
        rtts[len(rtts) // 2] / 1e6, rtts[-1] / 1e6,
        frozen,
        late_ns / 1e6,
        {
            "loop lag, ms": _series(server.lag_ns, begin_ns, 1e-6),
            "receive queues, bytes": _series(seen.queued, begin_ns, 1.0),
            "answer after, ms": _series(answers, begin_ns, 1e-6),
        },
    )  # fmt: skip


def answering(seen: Asked, read: _Read) -> set[int]:
    """The connections that answered what they were asked while the read lasted, before its end."""
    return {
        which
        for which, asked, done in seen.answers
        if asked > read.begun_ns and done < read.ended_ns
    }


def _series(points: list[tuple[int, int]], begin_ns: int, scale: float) -> Series:
    return [((at - begin_ns) / NS_PER_S, value * scale) for at, value in sorted(points)]
