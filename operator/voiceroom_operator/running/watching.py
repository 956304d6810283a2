"""The mirror kept up to date: streams that are begun again when they end, and sweeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from voiceroom_operator.cluster.api import Api, ApiError, Body
from voiceroom_operator.cluster.kinds import NODES, PODS, POOLS, ROOMS, Kind
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.cluster.sweeper import Sweeper
from voiceroom_operator.edge.clock import Clock

SWEEP_S: Final = 5.0
"""Between two sweeps; longer when a sweep takes long, so that it costs 1 % of the time."""
SWEEP_SHARE: Final = 0.01
LISTED_S: Final = 0.5
"""After a stream has listed anew it may have missed deletions: sweep so soon."""
NODES_AGAIN_S: Final = 60.0
RETRY_S: Final = 1.0
STOP_S: Final = 3.0
"""What streams get to end."""

_log = logging.getLogger(__name__)


class Streams(Protocol):
    """Watch streams (``cluster.streams``)."""

    async def run(self, kinds: Collection[Kind], stop: asyncio.Event) -> None:
        """Until ``stop``; returning before that means that the process is to end."""


class Counters(Protocol):
    """Who counts."""

    def news(self, resource: str) -> None:
        """One piece."""

    def streams_restarted(self) -> None:
        """They ended."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at."""

    namespaces: tuple[str, ...]
    """Empty = all."""

    def of(self, kind: Kind) -> tuple[str, ...]:
        """The namespaces to list; '' = all of them at once."""
        return self.namespaces if kind.namespaced and self.namespaces else ("",)


class Watching:
    """Begins with ``fill``; then ``stream`` and ``sweep`` run side by side."""

    def __init__(
        self,
        api: Api,
        clock: Clock,
        mirror: Mirror,
        scope: Scope,
        sweeper: Sweeper,
        counters: Counters,
    ) -> None:
        self._api = api
        self._clock = clock
        self._mirror = mirror
        self._scope = scope
        self._sweeper = sweeper
        self._counters = counters
        self._nodes_asked_s = float("-inf")
        self._sweep_now = asyncio.Event()
        self._begin_again = asyncio.Event()
        self.nodes_readable = False

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What may be watched."""
        return (ROOMS, POOLS, PODS, NODES) if self.nodes_readable else (ROOMS, POOLS, PODS)

    def on_event(self, kind: Kind, type_: str | None, body: Body) -> None:
        """News from a stream."""
        self._counters.news(kind.plural)
        metadata = body["metadata"]
        if type_ == "DELETED":
            namespace = str(metadata.get("namespace", ""))
            self._mirror.drop(kind, namespace, metadata["name"], metadata["uid"])
            return
        self._mirror.put(kind, body)
        if type_ is None:
            self._sweep_now.set()

    async def fill(self) -> None:
        """The first look. Raises ``ApiError``."""
        await self._ask_for_nodes()
        for kind in self.kinds:
            for namespace in self._scope.of(kind):
                await self._sweeper.fill(kind, namespace)

    async def stream(self, streams: Streams) -> None:
        """For ever; ends when the process is to end."""
        while True:
            self._begin_again.clear()
            if not await self._once(streams):
                return
            self._counters.streams_restarted()
            self._sweep_now.set()
            await self._clock.sleep(RETRY_S)

    async def _once(self, streams: Streams) -> bool:
        """Streams until they end; whether to begin again."""
        stop = asyncio.Event()
        running = asyncio.ensure_future(streams.run(self.kinds, stop))
        again = asyncio.ensure_future(self._begin_again.wait())
        try:
            await asyncio.wait({running, again}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return _is_failure(running)
            stop.set()
            await asyncio.wait({running}, timeout=STOP_S)
            return True
        finally:
            stop.set()
            again.cancel()
            running.cancel()
            await asyncio.gather(running, again, return_exceptions=True)

    async def sweep(self, beat: Callable[[], None]) -> None:
        """For ever."""
        while True:
            began_s = self._clock.monotonic_s()
            for kind in self.kinds:
                for namespace in self._scope.of(kind):
                    await self._sweep_once(kind, namespace)
                    beat()
            took_s = self._clock.monotonic_s() - began_s
            await self._pause(max(SWEEP_S, took_s / SWEEP_SHARE))
            await self._look_for_nodes()

    async def _sweep_once(self, kind: Kind, namespace: str) -> None:
        try:
            if await self._sweeper.sweep(kind, namespace):
                # what is late twice running was never told: that stream is dead
                self._begin_again.set()
        except ApiError as error:
            _log.debug("a sweep failed", extra={"kind": kind.kind, "error": str(error)})

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._sweep_now.wait(), seconds)
        except TimeoutError:
            return
        await self._clock.sleep(LISTED_S)
        self._sweep_now.clear()

    async def _look_for_nodes(self) -> None:
        """A right that was given, or taken, later on."""
        if self._clock.monotonic_s() - self._nodes_asked_s < NODES_AGAIN_S:
            return
        before = self.nodes_readable
        try:
            await self._ask_for_nodes()
        except ApiError as error:
            _log.debug("asking for nodes failed", extra={"error": str(error)})
        if before != self.nodes_readable:
            self._begin_again.set()

    async def _ask_for_nodes(self) -> None:
        try:
            await self._api.list(NODES, "", metadata_only=True)
        except ApiError as error:
            if error.status not in (401, 403):
                raise
            self.nodes_readable = False
            self._mirror.clear(NODES)
        else:
            self.nodes_readable = True
        self._nodes_asked_s = self._clock.monotonic_s()


def _is_failure(ended: asyncio.Future[None]) -> bool:
    """Whether the streams gave up, by an exception or by cancelling themselves; else they were
    told to end."""
    error = "cancelled" if ended.cancelled() else repr(ended.exception() or "")
    if error == repr(""):
        return False
    _log.warning("the watch streams ended", extra={"error": error})
    return True
