"""Asks another process where it is: one that offers its stacks by ``edge.stacks``."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.control.periodic import Periodic
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.stacks import END, NAME, SIGNAL

MAX_BYTES: Final = 65_536
_LOOK_NS: Final = 20 * NS_PER_MS
_ANSWER_S: Final = 1.0


class StacksError(RuntimeError):
    """There are no stacks to be had; the text says why."""


async def ask(pid: int, fd: int) -> str:
    """The stacks of a process that offers them as ``fd``, within a second. One asks at a time.

    Raises ``StacksError``.
    """
    path = f"/proc/{pid}/fd/{fd}"
    try:
        # To one that offers nothing, the signal would be the end.
        if NAME not in os.readlink(path):
            raise StacksError("the process does not offer its stacks")
        ours = os.open(path, os.O_RDWR)
    except OSError as error:
        raise StacksError(f"the process cannot be looked into: {error.strerror}") from error
    try:
        os.ftruncate(ours, 0)
        os.kill(pid, SIGNAL)
        return await _written(ours)
    except OSError as error:
        raise StacksError(f"the process has ended: {error.strerror}") from error
    finally:
        os.close(ours)


async def _written(fd: int) -> str:
    """What stands in the file once its end does."""
    found: list[bytes] = []

    def look(_now_ns: int) -> None:
        text, end, _ = os.pread(fd, MAX_BYTES, 0).partition(END)
        if end or len(text) == MAX_BYTES:
            found.append(text)
            looking.stop()

    looking = Periodic(_LOOK_NS, look, clock.monotonic_ns)
    try:
        async with asyncio.timeout(_ANSWER_S):
            await looking.run()
    except TimeoutError:
        raise StacksError("the process does not answer: it may be stopped") from None
    return found[0].decode(errors="replace")
