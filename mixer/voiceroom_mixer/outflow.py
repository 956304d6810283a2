"""Text for a descriptor that nobody may be taking: a full pipe, a stopped terminal, a hung disk.

Who writes never waits. A thread writes what is queued, in order; the queue is bounded, and what
did not fit is counted and said as soon as there is space again. Standard library only, as the
keeper needs it too.
"""

from __future__ import annotations

import atexit
import io
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

LIMIT: Final = 256 * 1024
"""Bytes that wait: some 1,500 lines."""
RESERVE: Final = 64 * 1024
"""Beyond it, for the last words of a process that ends by an exception."""
EXIT_S: Final = 1.0
"""How long the end of a process waits for what it has said to be taken."""
_RETRY_MS: Final = 1_000
Note = Callable[[int], str]
"""So many pieces were dropped: the line that says so."""


def plain_note(dropped: int) -> str:
    """For people."""
    return f"{dropped} lines were dropped here: nobody took them\n"


class Outflow:
    """One descriptor's queue; its thread begins with the first piece."""

    def __init__(self, fd: int, note: Note = plain_note, limit: int = LIMIT) -> None:
        """``limit``: in bytes."""
        self._fd, self._limit = fd, limit
        self.note = note
        self.dropped = 0
        """Pieces that were lost since the start: there was no space, or writing them failed."""
        self._unsaid = 0
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        """Of all that waits, and of what is being written."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, text: str, *, last_words: bool = False) -> bool:
        """Queue a piece, of whole lines where it can be; False when it was dropped."""
        piece = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._bytes + len(piece) > self._limit + RESERVE * last_words:
                self._drop()
                return False
            self._own_up()
            self._append(piece)
            self._begin()
            self._changed.notify_all()
        return True

    def stream(self) -> Stream:
        """The same descriptor, for what has no claim on the reserve."""
        return Stream(self, self._fd)

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything was written, at most so long; whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._bytes, timeout_s)

    def _drop(self) -> None:
        self.dropped += 1
        self._unsaid += 1

    def _own_up(self) -> None:
        """Say what is missing where it is missing."""
        if self._unsaid:
            dropped, self._unsaid = self._unsaid, 0
            self._append(self.note(dropped).encode())

    def _append(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._bytes += len(piece)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="outflow", daemon=True)
            self._thread.start()
            atexit.register(self.drain, EXIT_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                piece = self._waiting.popleft()
            written = _write(self._fd, piece)
            with self._changed:
                self._bytes -= len(piece)
                if not written:
                    self._drop()
                elif not self._waiting:
                    self._own_up()
                self._changed.notify_all()


class Stream(io.TextIOBase):
    """The outflow as a file for logs, prints and tracebacks. ``flush`` waits for nobody."""

    def __init__(self, outflow: Outflow, fd: int, *, last_words: bool = False) -> None:
        self._outflow, self._last_words = outflow, last_words
        self._is_terminal = os.isatty(fd)

    def write(self, text: str, /) -> int:
        """All of it, or nothing."""
        self._outflow.put(text, last_words=self._last_words)
        return len(text)

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """As it was at the start: asking a terminal may wait for it."""
        return self._is_terminal


def take_over() -> Outflow:
    """Make this process's stdout and stderr wait for nobody; the outflow of stderr. What Python
    itself writes there (tracebacks, warnings) has space in reserve."""
    errors = Outflow(sys.stderr.fileno())
    sys.stdout = Stream(Outflow(sys.stdout.fileno()), sys.stdout.fileno())
    sys.stderr = Stream(errors, sys.stderr.fileno(), last_words=True)
    return errors


def _write(fd: int, piece: bytes) -> bool:
    """Wait for as long as it takes; False where it cannot be written at all."""
    left = memoryview(piece)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except BlockingIOError:  # whoever shares the descriptor has made it non-blocking
            _wait_for_space(fd)
        except OSError:
            select.select(
                (), (), (), _RETRY_MS / 1_000
            )  # a full disk is asked again with the next line
            return False
    return True


def _wait_for_space(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    with suppress(OSError):
        poll.poll(_RETRY_MS)
