"""What is being done, on disk before it is: whoever comes after a door that was killed finds it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from voiceroom_chaosdoor.means import Change
from voiceroom_chaosdoor.order import KINDS, Kind

_log = logging.getLogger(__name__)
_SUFFIX: Final = ".json"
_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """One experiment."""

    id: str
    kind: Kind
    namespace: str
    pod: str
    uid: str
    began_ns: int
    until_ns: int
    """CLOCK_BOOTTIME."""
    strength: Mapping[str, float]
    changes: list[Change]


class Journal:
    """A folder with a file for each experiment, by the pod's uid. One process has it at a time."""

    def __init__(self, folder: Path) -> None:
        """Waits until a door before this one has ended. Raises ``OSError``."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Let another have it."""
        os.close(self._lock)

    def entries(self) -> list[Entry]:
        """Of whoever wrote here. What cannot be read was never begun: it is logged and left."""
        found = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                found.append(_entry(json.loads(path.read_text(encoding="utf-8"))))
            except (ValueError, TypeError, KeyError) as error:
                words = "a file of the journal cannot be read"
                _log.error(words, extra={"file": str(path), "error": str(error)})
        return found

    def write(self, entry: Entry) -> None:
        """It is on the disk when this returns. Raises ``OSError``."""
        path = self._path(entry.uid)
        temporary = path.with_suffix(".new")
        with open(temporary, "w", encoding="utf-8") as out:
            json.dump(asdict(entry), out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
        self._sync()

    def forget(self, uid: str) -> None:
        """Harmless when there is none. Raises ``OSError``."""
        self._path(uid).unlink(missing_ok=True)
        self._sync()

    def _path(self, uid: str) -> Path:
        return self._folder / f"{uid}{_SUFFIX}"

    def _sync(self) -> None:
        """The folder itself, or a new name might not outlive the machine."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _entry(read: dict[str, Any]) -> Entry:
    entry = Entry(**read)
    if entry.kind not in KINDS or not isinstance(entry.changes, list):
        raise ValueError(f"kind {entry.kind!r} is not known")
    return entry
