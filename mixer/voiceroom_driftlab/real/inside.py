"""Faults that only happen inside a process: garbage, a thread that computes, a call that waits.

The interpreter of the mixer under test imports this at its start by ``hook/sitecustomize.py``,
which the laboratory puts on its path; the product knows nothing of it. Until an order comes there
is one thread that waits in a system call. Standard library only, until then.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

DOOR_ENV: Final = "VOICEROOM_LAB_DOOR"
"""A folder: control and each media process have a datagram socket in it, named by process id."""
_LISTEN: Final = frozenset(("voiceroom_mixer.media", "voiceroom_mixer.control"))
_MAX: Final = 4_096
CHUNK: Final = 100_000
"""References in one list of ballast: few containers, or the mixer would collect by itself."""
Act = Callable[[], int]
"""Does harm once; for how long, in ns."""
Event = tuple[int, int]
"""When it began, and how long it took."""


def offer() -> None:
    """Called in every interpreter of the mixer: these two wait for orders from now on."""
    folder = os.environ.get(DOOR_ENV)
    if folder and not _LISTEN.isdisjoint(sys.orig_argv):
        door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        door.bind(os.path.join(folder, str(os.getpid())))
        threading.Thread(target=_serve, args=(door,), name="laboratory", daemon=True).start()


def _serve(door: socket.socket) -> None:
    while True:
        raw, answer_to = door.recvfrom(_MAX)
        try:
            said = carry_out(json.loads(raw))
        except Exception as error:
            said = {"error": repr(error)}
        with suppress(OSError):
            door.sendto(json.dumps(said).encode(), answer_to)


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """One order: ``act``, ``lasts_ns``, and by act ``ns``, ``every``, ``place``, ``references``.

    Gives what really happened: ``events``, ``total_ns``, ``worst_ns``, and when it began:
    ``first_ns`` of the kernel's MONOTONIC.
    """
    lasts_ns, ns = int(order["lasts_ns"]), int(order.get("ns", 0))
    match order["act"]:
        case "spin":
            return _spin(lasts_ns)
        case "hold":
            return _happened([_timed_from(lambda: _hold(ns))])
        case "burn":
            return _each_tick(lasts_ns, "work", 1, lambda: _burn(ns))
        case "block":
            return _each_tick(lasts_ns, order["place"], int(order["every"]), lambda: _wait(ns))
        case "ballast":
            _ballast.drop()
            _ballast.load(int(order["references"]))
            return _happened([])
        case "gc":
            said = _each_tick(lasts_ns, "chores", int(order["every"]), _collect)
            _ballast.drop()
            return said
    raise ValueError(f"no act {order['act']!r}")


def _happened(events: list[Event]) -> dict[str, Any]:
    took_ns = [event[1] for event in events]
    return {
        "events": len(events),
        "total_ns": sum(took_ns),
        "worst_ns": max(took_ns, default=0),
        "first_ns": events[0][0] if events else 0,
    }


def _timed_from(act: Act) -> Event:
    from voiceroom_mixer.edge import clock

    return clock.true_ns(), act()


def _each_tick(lasts_ns: int, place: str, every: int, act: Act) -> dict[str, Any]:
    """Have the tick's own thread do it, or control's loop, from now on and for so long."""
    happened: list[Event] = []
    with _after(*_owner(place), every, lambda: happened.append(_timed_from(act))):
        _sleep(lasts_ns)
    return _happened(happened)


def _owner(place: str) -> tuple[type, str]:
    """What is called in each tick, or with each beat."""
    if place == "control":
        from voiceroom_mixer.control.watchdog import LoopProbe

        return LoopProbe, "beat"
    from voiceroom_mixer.media.mixing import Mixing
    from voiceroom_mixer.media.moving.moves import Moves

    return (Mixing, "run") if place == "work" else (Moves, "tick")


@contextmanager
def _after(owner: type, name: str, every: int, act: Callable[[], None]) -> Iterator[None]:
    """Every so many calls of ``owner.name`` are followed by ``act``, the first one among them.
    What has begun is over at the end."""
    original = getattr(owner, name)
    calls, acting = 0, threading.Lock()

    def followed(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        result = original(*arguments, **named)
        if calls % every == 0:
            with acting:
                act()
        calls += 1
        return result

    setattr(owner, name, followed)
    try:
        yield
    finally:
        setattr(owner, name, original)
        with acting:
            pass


class Ballast:
    """What a full collection has to walk through, put there bit by bit, and taken away so.

    Each bit is moved to the oldest generation at once, which the mixer leaves alone while somebody
    is in: or its own young collection would walk through all of it, before any pause was ordered.
    """

    def __init__(self) -> None:
        self._lists: list[list[object]] = []

    def load(self, references: int) -> None:
        """More of it."""
        import gc

        anchor: list[object] = []
        for _ in range(references // CHUNK):
            self._lists.append([anchor] * CHUNK)
            gc.collect(1)
            _sleep(2_000_000)

    def drop(self) -> None:
        """All of it."""
        while self._lists:
            self._lists.pop()
            _sleep(2_000_000)


_ballast: Final = Ballast()


def _collect() -> int:
    import gc

    return _timed(gc.collect)


def _burn(ns: int) -> int:
    """CPU time of the calling thread."""
    from voiceroom_mixer.edge import clock

    begun_ns = now_ns = clock.thread_cpu_ns()
    while now_ns - begun_ns < ns:
        now_ns = clock.thread_cpu_ns()
    return now_ns - begun_ns


def _spin(lasts_ns: int) -> dict[str, Any]:
    from voiceroom_mixer.edge import clock

    first_ns, begun_ns = clock.true_ns(), clock.thread_cpu_ns()
    while clock.true_ns() < first_ns + lasts_ns:
        pass
    return _happened([(first_ns, clock.thread_cpu_ns() - begun_ns)])


def _wait(ns: int) -> int:
    return _timed(lambda: _sleep(ns))


def _hold(ns: int) -> int:
    """In a call that keeps the GIL."""
    import ctypes

    return _timed(lambda: ctypes.PyDLL(None).usleep(ns // 1_000))


def _timed(act: Callable[[], object]) -> int:
    from voiceroom_mixer.edge import clock

    begun_ns = clock.true_ns()
    act()
    return clock.true_ns() - begun_ns


def _sleep(ns: int) -> None:
    from voiceroom_mixer.edge import clock

    clock.sleep_until(clock.true_ns() + ns)


class Door:
    """The laboratory's end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "laboratory"))

    def order(self, pid: int, order: dict[str, Any]) -> None:
        """Tell a process. Raises ``OSError`` when it is not there."""
        self._socket.sendto(json.dumps(order).encode(), str(self._folder / str(pid)))

    def answer(self, timeout_s: float) -> dict[str, Any]:
        """What it did. Raises ``OSError`` when it does not say."""
        self._socket.settimeout(timeout_s)
        said: dict[str, Any] = json.loads(self._socket.recv(_MAX))
        if "error" in said:
            raise OSError(f"inside the mixer: {said['error']}")
        return said

    def close(self) -> None:
        """Close it."""
        self._socket.close()
