"""An event loop in virtual time: where nothing is ready it jumps to the next timer at once."""

from __future__ import annotations

import asyncio
import fcntl
import selectors
import sys
import termios
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
NS_PER_S = 1_000_000_000
GRAIN_S = 4e-9
"""More than asyncio's clock resolution, below which a timer fires before its time has come."""


IN_FLIGHT_S = 0.3
"""A busy kernel delivers over loopback later, and what it dropped after 200 ms once more."""


def _in_flight(descriptor: int) -> bool:
    """Whether something was written that has not arrived (SIOCOUTQ)."""
    try:
        queued = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
    except OSError:
        return False  # a listening socket, or none at all
    return int.from_bytes(queued, sys.byteorder) > 0


class _Jumping(selectors.BaseSelector):
    """Sockets are real, waiting is not, but for what is on its way through a socket."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now_s = 1_000.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return self._real.select(None)
        if any(_in_flight(key.fd) for key in self._real.get_map().values()):
            ready = self._real.select(IN_FLIGHT_S)
        if not ready:
            self.now_s += max(timeout, 0.0)
        return ready

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time()`` is virtual and starts at 1000 s."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """What lies ahead by less than a grain would fire with no time gone: who waits for the
        rest of a rounding error would wait for ever."""
        now_s = self.time()
        if now_s < when < now_s + GRAIN_S:
            when = now_s + GRAIN_S
        return super().call_at(when, callback, *args, context=context)

    def now_ns(self) -> int:
        """Virtual nanoseconds, for what takes an injected clock."""
        return round(self._jumping.now_s * NS_PER_S)

    def advance(self, seconds: float) -> None:
        """Let time pass in which the loop did not run."""
        self._jumping.now_s += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def virtual_loop() -> VirtualLoop:
    """The running one."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop
