"""Which namespaces wait for a reconcile: a set of keys with times, not a list of happenings.

News of a key that waits already changes nothing, so the queue is as long as there are namespaces,
whatever happens. A key is worked on by one task at a time; what comes meanwhile makes it wait
again. A failed key waits longer each time, until something of it gets done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.round.acting import NotLeading
from voiceroom_operator.round.outcome import RoundFailed

AT_ONCE: Final = 4
FIRST_BACKOFF_S: Final = 0.25
LAST_BACKOFF_S: Final = 15.0
NEWS_S: Final = 1.0
"""A failed key is begun again so soon when there is news of it: what can live does not wait for
what fails."""
PAUSE_S: Final = 0.02
"""Least pause between two rounds of a namespace, in which news gathers."""
LONGEST_PAUSE_S: Final = 0.5

Reconcile = Callable[[str], Awaitable[float | None]]
_log = logging.getLogger(__name__)


class Meter(Protocol):
    """Who counts rounds."""

    def reconciled(self, result: str, seconds: float) -> None:
        """One ended: ok, failed or crashed."""


@dataclass(slots=True)
class _Key:
    due_s: float | None = None
    """Monotonic; None = it does not wait."""
    running: bool = False
    failures: int = 0
    free_s: float = float("-inf")
    """Not to be begun before."""


class Work:
    """The queue and those who work on it."""

    def __init__(self, clock: Clock, reconcile: Reconcile, meter: Meter) -> None:
        self._clock = clock
        self._reconcile = reconcile
        self._meter = meter
        self._keys: dict[str, _Key] = {}
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = 0
        self._seen_ended = -1

    def add(self, key: str, after_s: float = 0.0) -> None:
        """Reconcile ``key`` by then at the latest."""
        entry = self._keys.setdefault(key, _Key())
        due_s = self._clock.monotonic_s() + after_s
        if entry.due_s is None or due_s < entry.due_s:
            entry.due_s = due_s
            self._news.set()

    def depth(self) -> int:
        """Keys that are due or being worked on."""
        now_s = self._clock.monotonic_s()
        return sum(
            entry.running or (entry.due_s is not None and entry.due_s <= now_s)
            for entry in self._keys.values()
        )

    def goes_on(self) -> bool:
        """Whether rounds have ended since this was last asked, or none is due."""
        ended, self._seen_ended = self._seen_ended, self._ended
        return ended != self._ended or self.depth() == 0

    def forget(self, present: set[str]) -> None:
        """Drop keys that are not ``present`` and wait for nothing."""
        for key, entry in tuple(self._keys.items()):
            if key not in present and not entry.running:
                del self._keys[key]

    async def run(self) -> None:
        """For ever."""
        try:
            while True:
                self._news.clear()
                wait_s = self._start_due()
                try:
                    await asyncio.wait_for(self._news.wait(), wait_s)
                except TimeoutError:
                    continue
        finally:
            await self._end()

    def _start_due(self) -> float | None:
        """Begin what may begin; seconds until there is more, None = until there is news."""
        now_s = self._clock.monotonic_s()
        waits: list[float] = []
        for key, entry in self._keys.items():
            if entry.due_s is None or entry.running:
                continue
            wait_s = max(entry.due_s, entry.free_s) - now_s
            if wait_s > 0:
                waits.append(wait_s)
            elif len(self._tasks) < AT_ONCE:
                self._start(key, entry)
        return min(waits, default=None)

    def _start(self, key: str, entry: _Key) -> None:
        entry.due_s, entry.running = None, True
        task = asyncio.get_running_loop().create_task(self._work(key, entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, key: str, entry: _Key) -> None:
        began_s, used_s = self._clock.monotonic_s(), self._clock.cpu_s()
        result, after_s = await self._round(key, entry)
        now_s = self._clock.monotonic_s()
        self._ended += 1
        entry.running = False
        # at most half of a core: what a round has taken of it is the pause that follows, and what
        # it has waited for the API server is not
        pause_s = min(max(PAUSE_S, self._clock.cpu_s() - used_s), LONGEST_PAUSE_S)
        entry.free_s = max(entry.free_s, now_s + pause_s)
        self._meter.reconciled(result, now_s - began_s)
        if after_s is not None:
            self.add(key, after_s)
        self._news.set()

    async def _round(self, key: str, entry: _Key) -> tuple[str, float | None]:
        try:
            after_s = await self._reconcile(key)
        except NotLeading:
            return "failed", None
        except RoundFailed as failed:
            if failed.writes:
                entry.failures = 0
            return "failed", self._backoff_s(entry, failed.after_s)
        except Exception:
            _log.exception("a reconcile crashed", extra={"namespace": key})
            return "crashed", self._backoff_s(entry, 0.0)
        entry.failures = 0
        return "ok", after_s

    def _backoff_s(self, entry: _Key, not_before_s: float) -> float:
        """``not_before_s``: what the API server has asked for; news does not shorten that."""
        asked_s = min(not_before_s, LAST_BACKOFF_S)
        backoff_s = max(min(FIRST_BACKOFF_S * float(2**entry.failures), LAST_BACKOFF_S), asked_s)
        entry.failures = min(entry.failures + 1, 16)
        entry.free_s = self._clock.monotonic_s() + max(min(backoff_s, NEWS_S), asked_s)
        return backoff_s

    async def _end(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
