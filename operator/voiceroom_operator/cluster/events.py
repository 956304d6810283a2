"""Kubernetes Events: what was done and why, each said once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from voiceroom_operator.cluster.api import Api, ApiError, Body
from voiceroom_operator.cluster.kinds import EVENTS
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.status.conditions import timestamp

COMPONENT: Final = "voiceroom-operator"
WAITING: Final = 256
"""Events that may wait for the API server; more are dropped and counted."""
REMEMBERED: Final = 4096
AGAIN_S: Final = 600.0
"""The same words about the same object are said again after so long, and counted."""
_MESSAGE_CHARS: Final = 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to say of an object."""

    about: Body
    type: Literal["Normal", "Warning"]
    reason: str
    message: str

    def digest(self) -> str:
        """The same for the same words about the same object."""
        uid = self.about["metadata"].get("uid", "")
        text = "\0".join((str(uid), self.type, self.reason, self.message))
        return sha256(text.encode()).hexdigest()[:16]


class Events:
    """Says notes in their order, without keeping anybody waiting."""

    def __init__(self, api: Api, clock: Clock, dropped: Callable[[], None]) -> None:
        self._api = api
        self._clock = clock
        self._dropped = dropped
        self._queue: asyncio.Queue[Note] = asyncio.Queue(WAITING)
        self._said: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def say(self, note: Note) -> None:
        """Unless it was said a short while ago."""
        last_s, _ = self._said.get(note.digest(), (float("-inf"), 0))
        if self._clock.monotonic_s() - last_s < AGAIN_S:
            return
        try:
            self._queue.put_nowait(note)
        except asyncio.QueueFull:
            self._dropped()
            return
        self._remember(note.digest())

    def _remember(self, digest: str) -> None:
        _, count = self._said.pop(digest, (0.0, 0))
        self._said[digest] = (self._clock.monotonic_s(), count + 1)
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.post(await self._queue.get())

    async def drain(self) -> None:
        """Post what waits."""
        while not self._queue.empty():
            await self.post(self._queue.get_nowait())

    async def post(self, note: Note) -> None:
        """An event that cannot be posted is dropped: nothing depends on it."""
        namespace = str(note.about["metadata"].get("namespace", "default"))
        body = self._event(note, namespace)
        try:
            await self._api.create(EVENTS, namespace, body)
        except ApiError as error:
            if error.exists:
                await self._count(note, namespace, body)
                return
            self._dropped()
            _log.info("event not posted", extra={"reason": note.reason, "error": str(error)})

    async def _count(self, note: Note, namespace: str, body: dict[str, Any]) -> None:
        patch = {"count": body["count"], "lastTimestamp": body["lastTimestamp"]}
        try:
            await self._api.merge(EVENTS, namespace, body["metadata"]["name"], patch)
        except ApiError as error:
            self._dropped()
            _log.info("event not posted", extra={"reason": note.reason, "error": str(error)})

    def _event(self, note: Note, namespace: str) -> dict[str, Any]:
        metadata, now = note.about["metadata"], timestamp(self._clock.unix_s())
        _, count = self._said.get(note.digest(), (0.0, 1))
        involved = {key: note.about[key] for key in ("apiVersion", "kind") if key in note.about}
        involved |= {key: metadata[key] for key in ("name", "namespace", "uid") if key in metadata}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name'][:200]}.{note.digest()}"}
            | {"namespace": namespace},
            "involvedObject": involved,
            "type": note.type,
            "reason": note.reason,
            "message": note.message[:_MESSAGE_CHARS],
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": count,
        }
