"""Refused tokens: kicked until they would have expired anyway, and over a restart of control."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Final

from voiceroom_mixer.edge.shm import BlobTable

LEEWAY_S: Final = 60
"""A token joins this long after its ``exp`` (contract §3), so it is refused as long."""
_ROW: Final = struct.Struct("<q32s")
"""exp in wall seconds, SHA-256 of the jti (which may be of any length)."""


class RevokedTokens:
    """A bounded set in the ``revoked`` table; the one that expires first makes room, counted."""

    def __init__(self, table: BlobTable) -> None:
        self._table = table
        self._rows: dict[bytes, tuple[int, int]] = {}
        self.evicted = 0
        used = set()
        for row, blob in table.used():
            if len(blob) == _ROW.size:
                expires_s, digest = _ROW.unpack(blob)
                self._rows[digest] = (row, expires_s)
                used.add(row)
        self._fresh = table.high
        self._free = [row for row in range(self._fresh) if row not in used]

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, jti: str) -> bool:
        return _digest(jti) in self._rows

    def add(self, jti: str, expires_s: int) -> None:
        """Refuse a token from now on; an empty ``jti`` is nobody's."""
        if jti:
            self.add_digest(_digest(jti), expires_s)

    def entries(self) -> Iterator[tuple[bytes, int]]:
        """Digest and expiry of each, as another pod takes them by ``add_digest``."""
        return ((digest, expires_s) for digest, (_, expires_s) in self._rows.items())

    def add_digest(self, digest: bytes, expires_s: int) -> None:
        """Refuse the token with this digest from now on."""
        if digest in self._rows:
            return
        row = self._row()
        self._table.write(row, _ROW.pack(expires_s, digest))
        self._rows[digest] = (row, expires_s)

    def _row(self) -> int:
        if self._free:
            return self._free.pop()
        if self._fresh < self._table.rows:
            self._fresh += 1
            return self._fresh - 1
        self.evicted += 1
        first = min(self._rows, key=lambda digest: self._rows[digest][1])
        return self._rows.pop(first)[0]

    def purge(self, wall_s: int) -> None:
        """Forget those that are refused for their age."""
        for digest, (row, expires_s) in list(self._rows.items()):
            if expires_s + LEEWAY_S < wall_s:
                del self._rows[digest]
                self._table.clear(row)
                self._free.append(row)


def _digest(jti: str) -> bytes:
    return hashlib.sha256(jti.encode()).digest()
