"""What the operator said last, kept over restarts of the container: two files in ``--state-dir``.

Written whole beside the old file, synced, then put in its place; so a crash leaves the old one or
the new one. They hold secrets (hashes of PINs, TURN passwords): mode 0600.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

_log = logging.getLogger(__name__)
VERSION: Final = 1
Name = Literal["assignment", "directory"]
_MAX_BYTES: Final = 16 * 1024 * 1024


class Store:
    """Of one pod. ``failures``: documents that could not be kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.failures = 0

    def save(self, name: Name, document: Mapping[str, Any]) -> bool:
        """Keep it; False, counted and logged, when that fails. Blocks on the disk."""
        raw = json.dumps({"version": VERSION, "document": document}, separators=(",", ":"))
        try:
            self._replace(self._path(name), raw.encode())
        except OSError as error:
            self.failures += 1
            _log.error("the %s cannot be kept: %s", name, error)
            return False
        return True

    def _path(self, name: Name) -> Path:
        return self._folder / f"{name}.json"

    def _replace(self, path: Path, raw: bytes) -> None:
        fresh = path.with_suffix(".new")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def load(self, name: Name) -> dict[str, Any] | None:
        """What was kept; None, logged, when it is not there or no longer readable."""
        path = self._path(name)
        try:
            with path.open("rb") as file:
                value = json.loads(file.read(_MAX_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("%s is left aside: %s", path.name, error)
            return None
        if not isinstance(value, dict) or value.get("version") != VERSION:
            _log.warning("%s is left aside: it is of another version", path.name)
            return None
        document = value.get("document")
        return document if isinstance(document, dict) else None
