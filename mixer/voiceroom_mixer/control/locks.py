"""A lock that tells how long it was waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType


class MeteredLock:
    """``threading.Lock`` as a context manager; an uncontended one costs no reading of the clock."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._lock = threading.Lock()
        self._now_ns = now_ns
        self.waited_ns = 0
        """Sum of all waits; written while the lock is held."""

    def __enter__(self) -> None:
        if self._lock.acquire(blocking=False):
            return
        began_ns = self._now_ns()
        self._lock.acquire()
        self.waited_ns += self._now_ns() - began_ns

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()
