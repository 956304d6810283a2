"""Reads the VoiceRoom files of ``run``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from voiceroom_api.problems import InvalidDocument, Problem
from voiceroom_api.voiceroom import VoiceRoom, load_documents
from voiceroom_mixer.config import Limits, RoomEntry
from voiceroom_mixer.control.auth.pin import hash_pin

_MAX_BYTES: Final = 2 * 1024 * 1024


def load_rooms(paths: Sequence[str], pins: Mapping[str, str]) -> tuple[RoomEntry, ...]:
    """The rooms of all files, with the PINs by room name. Raises ``InvalidDocument``."""
    found: dict[str, str] = {}
    entries: list[RoomEntry] = []
    for path in paths:
        for room in load_documents(_read(path), path):
            if room.name in found:
                message = f"the room {room.name} is in {found[room.name]} as well"
                raise InvalidDocument(path, [Problem("metadata.name", message)])
            found[room.name] = path
            entries.append(_entry(room, path, pins))
    _check_set(entries, pins)
    return tuple(entries)


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_BYTES).decode()
    except OSError as error:
        raise InvalidDocument(path, [Problem("", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidDocument(path, [Problem("", "is not UTF-8 text")]) from error


def _entry(room: VoiceRoom, path: str, pins: Mapping[str, str]) -> RoomEntry:
    if room.spec.access.pin_secret_ref is not None and room.name not in pins:
        message = f"a Secret is only in a cluster: give the PIN with --pin {room.name}=FILE"
        raise InvalidDocument(path, [Problem("spec.access.pinSecretRef", message)])
    pin = pins.get(room.name)
    return RoomEntry(name=room.name, spec=room.spec.to_dict(), pinHash=hash_pin(pin) if pin else "")


def _check_set(entries: Sequence[RoomEntry], pins: Mapping[str, str]) -> None:
    names = [entry["name"] for entry in entries]
    for name in pins:
        if name not in names:
            message = f"there is no room {name}; there is {', '.join(names[:10])}"
            raise InvalidDocument("--pin", [Problem("", message)])
    if len(names) > Limits().rooms:
        message = f"{len(names)} rooms; at most {Limits().rooms} can be run together"
        raise InvalidDocument("ROOM.yaml", [Problem("", message)])
