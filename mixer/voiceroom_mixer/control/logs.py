"""Structured logs to stderr at a bounded rate; tokens never stand in them."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.locks import MeteredLock
from voiceroom_mixer.outflow import Stream

BURST: Final = 50
PER_SECOND: Final = 20
_TOKENS: Final = re.compile(
    r"""(?ix) (?<=token=)[^\s&"'\\]+ | (?<=bearer\ )[^\s"'\\]+ | \beyJ[\w-]*\.[\w-]*\.[\w-]* """
)
_OWN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def redact(text: str) -> str:
    """Without anything that looks like a token."""
    return _TOKENS.sub("***", text)


class RateFilter(logging.Filter):
    """Lets ``BURST`` lines through at once and ``PER_SECOND`` over time; counts the others.

    The first line after some were left out carries their number in ``suppressed``.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__()
        self._now_ns = now_ns
        self._lock = MeteredLock(now_ns)  # the watchdog's thread logs as well
        self._full_at_ns = 0
        self._pending = 0
        self.suppressed = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        each = NS_PER_S // PER_SECOND
        with self._lock:
            now_ns = self._now_ns()
            full_at = max(self._full_at_ns, now_ns) + each
            if full_at - now_ns > BURST * each:
                self._pending += 1
                self.suppressed += 1
                return False
            self._full_at_ns = full_at
            if self._pending:
                record.suppressed = self._pending
                self._pending = 0
        return True

    @property
    def lock_wait_ns(self) -> int:
        """How long threads waited for this filter."""
        return self._lock.waited_ns


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller gave as ``extra``."""
    return {k: v for k, v in vars(record).items() if k not in _OWN_FIELDS}


def _erase(handler: logging.StreamHandler[Any]) -> str:
    """In a terminal the live line stands where the next log line goes."""
    return "\r\x1b[K" if handler.stream.isatty() else ""


class TextFormatter(logging.Formatter):
    """``TIME LEVEL logger: message key=value ...``; wall time in UTC."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        fields = "".join(f" {key}={value}" for key, value in _fields(record).items())
        name = record.name.removeprefix("voiceroom_mixer.")
        head = f"{self._prefix}{_time(record)} {record.levelname} {name}"
        text = f"{head}: {record.getMessage()}{fields}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return redact(text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """``time level logger message`` and the caller's fields."""
        value = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        } | _fields(record)
        if record.exc_info:
            value["exception"] = self.formatException(record.exc_info)
        return redact(json.dumps(value, default=str))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def drop_note(log_format: Literal["text", "json"]) -> Callable[[int], str]:
    """Says that so many lines were dropped, in the form of the others."""
    formatter = JsonFormatter() if log_format == "json" else TextFormatter()

    def note(dropped: int) -> str:
        said = "log lines were dropped here: nobody took them"
        values = {"name": __name__, "msg": said, "levelno": logging.WARNING}
        record = logging.makeLogRecord(values | {"levelname": "WARNING", "dropped": dropped})
        return formatter.format(record) + "\n"

    return note


def configure(
    log_format: Literal["text", "json"],
    now_ns: Callable[[], int],
    stream: TextIO | Stream | None = None,
    root: logging.Logger | None = None,
) -> RateFilter:
    """Make ``root`` (the root logger) write to ``stream`` (stderr); the filter that bounds it."""
    root = root or logging.getLogger()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        JsonFormatter() if log_format == "json" else TextFormatter(_erase(handler))
    )
    rate = RateFilter(now_ns)
    handler.addFilter(rate)
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("aioice", "aiortc", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return rate
