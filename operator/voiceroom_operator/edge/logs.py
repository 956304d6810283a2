"""Structured logs: one JSON object a line, or text for people."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, Final, TextIO

from voiceroom_operator.edge.logqueue import QueuedHandler

_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET: Final = ("kopf", "aiohttp", "asyncio")
"""Loggers of libraries: from WARNING on."""


class JsonFormatter(logging.Formatter):
    """``extra`` fields stand beside time, level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= _extra(record)
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


class TextFormatter(logging.Formatter):
    """``LEVEL message key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback if there is one."""
        words = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        text = f"{record.levelname:7} {record.getMessage()} {words}".rstrip()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {
        key: value
        for key, value in vars(record).items()
        if key not in _USUAL and isinstance(value, str | int | float | bool)
    }


def set_up(form: str, level: str, stream: TextIO = sys.stderr) -> QueuedHandler:
    """``form``: json or text; ``level``: debug, info, warning or error."""
    handler = QueuedHandler(stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    return handler
