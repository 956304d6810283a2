"""The orderly end: mix on until empty or the deadline, say goodbye, tell the keeper."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.periodic import Periodic
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.control.service import RoomHouse

_log = logging.getLogger(__name__)
LOOK_NS: Final = 100 * NS_PER_MS
GOODBYE_S: Final = 2.0
_LINE_BYTES: Final = 256


class KeeperChannel:
    """The stream of lines between keeper and control; waits for the end of this process."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._rest = b""
        self._drain = asyncio.Event()
        self._gone = False

    async def drain_or_gone(self) -> bool:
        """Wait for the keeper's word; False when the keeper itself has gone."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._sock, self._read)
        try:
            await self._drain.wait()
        finally:
            loop.remove_reader(self._sock)
        return not self._gone

    def _read(self) -> None:
        try:
            data = self._sock.recv(_LINE_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionError:
            data = b""
        *lines, self._rest = (self._rest[-_LINE_BYTES:] + data).split(b"\n")
        self._gone = not data
        if self._gone or b"drain" in lines:
            self._drain.set()

    def say_beats(self, line: bytes) -> bool:
        """Tell the keeper whom to beat for; False when it cannot be told now."""
        try:
            return self._sock.send(line) == len(line)
        except OSError:
            return False

    def say_drained(self) -> bool:
        """Tell the keeper that nothing is left to do; False when it has gone."""
        try:
            self._sock.send(b"drained\n")
        except OSError as error:
            _log.warning("the keeper cannot be told: %s", error)
            return False
        return True


async def drain(
    service: RoomHouse, readiness: Readiness, now_ns: Callable[[], int], deadline_s: float
) -> bool:
    """Refuse joins, wait until the last leg has gone or the deadline, say BYE.

    Whether every media process has confirmed its BYE.
    """
    readiness.draining = True
    service.begin_drain()
    _log.info("draining", extra={"legs": service.leg_count(), "deadline_s": deadline_s})
    await _emptied(service, now_ns, now_ns() + round(deadline_s * NS_PER_S))
    left = service.leg_count()
    confirmed = await service.say_goodbye(GOODBYE_S)
    _log.info("drained", extra={"legs_left": left, "bye_confirmed": confirmed})
    return confirmed


async def _emptied(service: RoomHouse, now_ns: Callable[[], int], deadline_ns: int) -> None:
    done = asyncio.Event()

    def look(at_ns: int) -> None:
        if service.leg_count() == 0 or at_ns >= deadline_ns:
            done.set()

    look(now_ns())
    periodic = Periodic(LOOK_NS, look, now_ns)
    task = asyncio.create_task(periodic.run(), name="drain")
    await done.wait()
    periodic.stop()
    await task
