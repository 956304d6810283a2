"""Log lines on their way to stderr, which nobody may be taking: a full pipe, a hung disk.

The event loop never waits for it: it would lose the Lease. Lines wait for a thread in a bounded
queue; what did not fit is counted, and said as soon as there is space again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, TextIO

LINES: Final = 2_000
EXIT_S: Final = 1.0
"""How long the end of the process waits for what it has said to be taken."""
_SAID: Final = "log lines were dropped here: nobody took them"


class QueuedHandler(logging.Handler):
    """Formats where it is called and writes elsewhere, in order."""

    def __init__(self, stream: TextIO, most: int = LINES) -> None:
        super().__init__()
        self._stream, self._most = stream, most
        self._lines: deque[str] = deque()
        self._writing = False
        self._unsaid = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self.on_drop: Callable[[], None] = _nothing
        """Told of each line that is lost."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits for the stream."""
        line = self.format(record)
        with self._changed:
            if len(self._lines) >= self._most:
                self._unsaid += 1
                self.on_drop()
                return
            self._own_up()
            self._lines.append(line)
            self._begin()
            self._changed.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything was written, at most so long; whether it was."""
        with self._changed:
            done = self._changed.wait_for(lambda: not (self._lines or self._writing), timeout_s)
        return done

    def close(self) -> None:
        """By ``logging`` at the end of the process."""
        self.drain(EXIT_S)
        super().close()

    def _own_up(self) -> None:
        """Say what is missing where it is missing."""
        if not self._unsaid:
            return
        values = {"name": __name__, "msg": _SAID, "levelno": logging.WARNING}
        lost = {"levelname": "WARNING", "dropped": self._unsaid}
        self._lines.append(self.format(logging.makeLogRecord(values | lost)))
        self._unsaid = 0

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                line, self._writing = self._lines.popleft(), True
            written = self._write(line)
            with self._changed:
                self._writing = False
                if not written:
                    self._unsaid += 1
                    self.on_drop()
                elif not self._lines:
                    self._own_up()
                self._changed.notify_all()

    def _write(self, line: str) -> bool:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError:
            return False
        return True


def _nothing() -> None:
    """Until somebody counts."""
