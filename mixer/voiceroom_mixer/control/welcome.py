"""The join links that a run prints once it is ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, TextIO

from voiceroom_api.duration import parse_duration
from voiceroom_mixer.config import Endpoint, RoomEntry, RunConfig
from voiceroom_mixer.control.auth.keys import KeySet
from voiceroom_mixer.control.auth.tokens import sign

_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
_WORDS: Final[dict[Literal["speaker", "listener"], str]] = {
    "speaker": "speak and listen",
    "listener": "listen only",
}


def links(config: RunConfig, keys: KeySet, port: int, now_s: float) -> Iterator[str]:
    """Lines: for each room what the link is for, then the link on a line of its own."""
    base = f"{'https' if config.tls else 'http'}://{_public(config, port)}"
    for room in config.rooms:
        for role, words in _WORDS.items():
            yield f"{room['name']}: {words}"
            token = sign(
                keys, sub=role, room=room["name"], role=role, now_s=now_s, ttl_s=token_ttl_s(room)
            )
            yield f"{base}/rooms/{room['name']}?token={token}"


def token_ttl_s(room: RoomEntry) -> int:
    """``spec.access.tokenTtl`` in seconds."""
    return parse_duration(room["spec"].get("access", {}).get("tokenTtl", "1h"))


def _public(config: RunConfig, port: int) -> Endpoint:
    """An address that a browser can open: never a wildcard."""
    host = config.http.host
    if host in _WILDCARDS:
        host = config.advertise[0] if config.advertise else _WILDCARDS[host]
    return Endpoint(host, port)


class Welcome:
    """Prints the links once, when ``is_ready`` first holds."""

    def __init__(
        self, stream: TextIO, lines: Callable[[], Iterator[str]], is_ready: Callable[[], bool]
    ) -> None:
        self._stream = stream
        self._lines = lines
        self._is_ready = is_ready
        self.done = False

    def look(self, _now_ns: int) -> None:
        """Call it until ``done``."""
        if not self.done and self._is_ready():
            self.done = True
            self._stream.write("".join(f"{line}\n" for line in self._lines()))
            self._stream.flush()
