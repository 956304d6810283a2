"""The key file on disk: made on first use, read again when it changes."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voiceroom_mixer.control.auth.keys import MIN_SECRET_BYTES, KeysError, KeySet, parse_keys

_MAX_FILE_BYTES: Final = 256 * 1024


def default_path(environ: Mapping[str, str]) -> Path:
    """``$XDG_STATE_HOME/voiceroom/keys.json``, else below ``~/.local/state``.

    Raises ``KeysError`` when ``environ`` names no home either.
    """
    state = environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # the XDG base directory specification ignores relative ones
        return Path(state, "voiceroom", "keys.json")
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        raise KeysError("neither XDG_STATE_HOME nor HOME is set: name a key file with --keys FILE")
    return Path(home, ".local", "state", "voiceroom", "keys.json")


def load(path: Path) -> KeySet:
    """The keys in ``path``. Raises ``KeysError``."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeysError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_FILE_BYTES:
        raise KeysError(f"{path}: larger than {_MAX_FILE_BYTES} bytes: not a key file")
    try:
        return parse_keys(raw.decode(), str(path))
    except UnicodeDecodeError as error:
        raise KeysError(f"{path}: not UTF-8: {error.reason}") from error


def ensure(path: Path) -> KeySet:
    """The keys in ``path``, which is made (mode 0600) when it is not there.

    Two processes may race: one of them makes the file, both read that one. Raises ``KeysError``.
    """
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise KeysError(f"{path}: cannot be made: {error.strerror}") from error
    return load(path)


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(_new_keys())
            file.flush()
            os.fsync(file.fileno())
        _publish(fresh, path)
    finally:
        fresh.unlink()


def _publish(fresh: Path, path: Path) -> None:
    """A link, unlike a rename, never replaces the file of the process that came first."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        return


def _new_keys() -> str:
    keys = [
        {
            "kid": f"{use}-{secrets.token_hex(4)}",
            "secret": base64.b64encode(secrets.token_bytes(MIN_SECRET_BYTES)).decode(),
            "use": use,
        }
        for use in ("join", "admin")
    ]
    return json.dumps({"keys": keys}, indent=2) + "\n"


class KeyFile:
    """The current keys of a file; a change of the file is seen at the next call."""

    def __init__(self, path: Path) -> None:
        """Raises ``KeysError`` when the file cannot be used now."""
        self._path = path
        self._stamp = self._look()
        self._keys = load(path)
        self.reload_failures = 0
        """Changes that could not be read; the keys from before hold on."""
        self.last_error = ""

    def current(self) -> KeySet:
        """The keys, after a look at the file's modification time."""
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return self._keys
        self._stamp = stamp
        try:
            self._keys = load(self._path)
            self.last_error = ""
        except KeysError as error:
            self.reload_failures += 1
            self.last_error = str(error)
        return self._keys

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None  # between unlink and rename of an editor: the next look sees the new one
        return status.st_mtime_ns, status.st_ino, status.st_size
