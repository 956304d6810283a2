"""Every way to be woken each frame that a Python program has, as measurements of one shape."""

from __future__ import annotations

import asyncio
import importlib
import os
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np

from voiceroom_api.units import NS_PER_S
from voiceroom_driftlab.experiments import timerfd
from voiceroom_driftlab.experiments.trace import Trace
from voiceroom_mixer.edge import clock

NewLoop = Callable[[], asyncio.AbstractEventLoop]
_LEAD_NS: Final = 20_000_000
"""From setting a timer up to the first grid point's period: nothing of the set-up is measured."""


class _Run(Protocol):
    def __call__(self, ticks: _Ticks, loop: asyncio.AbstractEventLoop) -> None: ...


class _Ticks:
    """Collects the times of ``count`` ticks, and ends the loop with the last one."""

    def __init__(self, period_ns: int, count: int) -> None:
        self.period_ns, self.count = period_ns, count
        self.start_ns = clock.monotonic_ns() + _LEAD_NS
        self.ran_ns: list[int] = []

    def tick(self) -> bool:
        """Whether another one is wanted."""
        self.ran_ns.append(clock.monotonic_ns())
        return len(self.ran_ns) < self.count

    def due_ns(self) -> int:
        """The grid point of the next tick."""
        return self.start_ns + (len(self.ran_ns) + 1) * self.period_ns

    def trace(self, backend: str, chained: bool) -> Trace:
        ran = np.array(self.ran_ns, np.int64)
        return Trace(backend, self.period_ns, self.start_ns, ran, chained)


def _call_later_chain(ticks: _Ticks, loop: asyncio.AbstractEventLoop) -> None:
    """The article's fault: each tick asks for the next one relative to itself."""
    period_s = ticks.period_ns / NS_PER_S

    def fire() -> None:
        if ticks.tick():
            loop.call_later(period_s, fire)
        else:
            loop.stop()

    def begin() -> None:
        ticks.start_ns = clock.monotonic_ns()
        loop.call_later(period_s, fire)

    loop.call_soon(begin)


def _call_at(ticks: _Ticks, loop: asyncio.AbstractEventLoop) -> None:
    """Absolute deadlines. Only asyncio's own ``loop.time()`` is CLOCK_MONOTONIC; that of libuv is a
    count of milliseconds, so what it is behind by is asked each time."""

    def fire() -> None:
        if ticks.tick():
            arm()
        else:
            loop.stop()

    def arm() -> None:
        behind_s = clock.monotonic_ns() / NS_PER_S - loop.time()
        loop.call_at(ticks.due_ns() / NS_PER_S - behind_s, fire)

    arm()


def _timerfd(ticks: _Ticks, loop: asyncio.AbstractEventLoop) -> None:
    """The kernel's periodic timer as a descriptor of the loop: the kernel ends the wait."""
    descriptor = timerfd.open_periodic(ticks.due_ns(), ticks.period_ns)

    def readable() -> None:
        for _ in range(timerfd.expired(descriptor)):
            if not ticks.tick():
                loop.remove_reader(descriptor)
                os.close(descriptor)
                loop.stop()
                return

    loop.add_reader(descriptor, readable)


def _thread_nanosleep(ticks: _Ticks) -> None:
    """clock_nanosleep to absolute deadlines in a thread of its own: what the mixer's media process
    does in its only thread."""

    def run() -> None:
        more = True
        while more:
            clock.sleep_until(ticks.due_ns())
            more = ticks.tick()

    thread = threading.Thread(target=run, name="ticker")
    thread.start()
    thread.join()


def _in_loop(run: _Run, ticks: _Ticks, new_loop: NewLoop) -> None:
    loop = new_loop()
    try:
        run(ticks, loop)
        loop.run_forever()
    finally:
        loop.close()


_LOOPED: Final[Mapping[str, tuple[_Run, bool]]] = MappingProxyType(
    {
        "call_later chain": (_call_later_chain, True),
        "call_at": (_call_at, False),
        "timerfd": (_timerfd, False),
    }
)
NANOSLEEP: Final = "thread nanosleep"


def uvloop_factory() -> NewLoop | None:
    """uvloop's event loop where it is installed: it is the one extra that not every platform has
    a wheel of."""
    try:
        module: Any = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: NewLoop = module.new_event_loop
    return factory


def names() -> list[str]:
    """Of all backends that can run here."""
    looped = [f"asyncio {name}" for name in _LOOPED]
    if uvloop_factory():
        looped += [f"uvloop {name}" for name in _LOOPED]
    return [*looped, NANOSLEEP]


def measure(backend: str, period_ns: int, seconds: float) -> Trace:
    """Let a backend of ``names()`` tick for so long. Raises ``ValueError`` for another name."""
    count = max(4, round(seconds * NS_PER_S / period_ns))
    if backend == NANOSLEEP:
        ticks = _Ticks(period_ns, count)
        _thread_nanosleep(ticks)
        return ticks.trace(backend, chained=False)
    if backend not in names():
        raise ValueError(f"no timer backend {backend!r}: one of {', '.join(names())}")
    family, _, name = backend.partition(" ")
    new_loop = asyncio.new_event_loop if family == "asyncio" else uvloop_factory()
    assert new_loop
    run, chained = _LOOPED[name]
    ticks = _Ticks(period_ns, count)
    _in_loop(run, ticks, new_loop)
    return ticks.trace(backend, chained)
