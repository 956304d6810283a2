"""DTLS 1.2 records (RFC 6347 §4.1) after the handshake: what is left of an association.

OpenSSL keeps about 64 KiB for each association, and all that a leg needs of it once the SRTP keys
are out is to hear the peer's close_notify, to say our own, and to repeat our last flight when it
was lost. That takes two keys and the flight: a few hundred bytes.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

CHANGE_CIPHER_SPEC: Final = 20
ALERT: Final = 21
HANDSHAKE: Final = 22
MTU: Final = 1200
"""Of our datagrams, in bytes: fits every path that WebRTC uses."""
MAX_REPEATS: Final = 16
"""How often a last flight is repeated: a peer doubles its timer and gives up long before."""
_HEADER: Final = struct.Struct("!BHQH")
"""type, version, epoch (16 bits) and sequence number (48), length."""
_DTLS_1_2: Final = 0xFEFD
_AUTHENTICATED: Final = struct.Struct("!QBHH")
"""Additional data of RFC 5246 §6.2.3.3: epoch and sequence, type, version, length of the text."""
_GOODBYE: Final = (1 << 48) | (1 << 40)
"""Epoch 1, and a sequence number that OpenSSL's few records of that epoch never came to."""
_WARNING, _FATAL = 1, 2
_CLOSE_NOTIFY: Final = 0


class Record(NamedTuple):
    """One record as it stands in a datagram."""

    kind: int
    position: int
    """Epoch in the upper 16 bits, sequence number in the lower 48."""
    fragment: bytes
    raw: bytes

    @property
    def epoch(self) -> int:
        """0: in the clear."""
        return self.position >> 48


def records(data: bytes) -> Iterator[Record]:
    """Those that are whole, up to the first that is not."""
    at = 0
    while at + _HEADER.size <= len(data):
        kind, _, position, length = _HEADER.unpack_from(data, at)
        end = at + _HEADER.size + length
        if end > len(data):
            return
        yield Record(kind, position, data[at + _HEADER.size : end], data[at:end])
        at = end


def datagrams(data: bytes) -> list[bytes]:
    """OpenSSL's output, which has no bounds of datagrams, in datagrams of at most ``MTU`` bytes.

    A record stays whole (RFC 6347 §4.1.1); OpenSSL itself was told to make none longer.
    """
    packed: list[bytes] = []
    for record in records(data):
        if packed and len(packed[-1]) + len(record.raw) <= MTU:
            packed[-1] += record.raw
        else:
            packed.append(record.raw)
    return packed


@dataclass(frozen=True, slots=True)
class Suite:
    """An AEAD cipher suite of DTLS 1.2; its pseudo-random function is on SHA-256."""

    key_bytes: int
    iv_bytes: int
    aead: type[AESGCM] | type[ChaCha20Poly1305]

    @property
    def explicit(self) -> bool:
        """Each record carries 8 bytes of its nonce (RFC 5288 §3)."""
        return self.aead is AESGCM


SUITES: Final = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": Suite(16, 4, AESGCM),
    "ECDHE-ECDSA-CHACHA20-POLY1305": Suite(32, 12, ChaCha20Poly1305),
}
"""By OpenSSL's name. The first is the one that every WebRTC client has (RFC 8827 §6.5)."""


def key_expansion(secret: bytes, seed: bytes, size: int) -> bytes:
    """The key block of RFC 5246 §6.3; ``seed`` is the server's random and then the client's."""
    label = b"key expansion" + seed
    block, link = b"", label
    while len(block) < size:
        link = hmac.digest(secret, link, "sha256")
        block += hmac.digest(secret, link + label, "sha256")
    return block[:size]


@dataclass(frozen=True, slots=True)
class WriteKey:
    """What one side protects its records with."""

    suite: Suite
    key: bytes
    iv: bytes

    def seal(self, kind: int, position: int, text: bytes) -> bytes:
        """A whole record. A ``position`` must be used once only."""
        explicit = position.to_bytes(8, "big") if self.suite.explicit else b""
        extra = _AUTHENTICATED.pack(position, kind, _DTLS_1_2, len(text))
        sealed = self.suite.aead(self.key).encrypt(self._nonce(position, explicit), text, extra)
        body = explicit + sealed
        return _HEADER.pack(kind, _DTLS_1_2, position, len(body)) + body

    def open(self, record: Record) -> bytes | None:
        """Its text; None when it is not by the owner of this key."""
        head = 8 if self.suite.explicit else 0
        explicit, sealed = record.fragment[:head], record.fragment[head:]
        length = len(sealed) - 16
        if length < 0:
            return None
        extra = _AUTHENTICATED.pack(record.position, record.kind, _DTLS_1_2, length)
        nonce = self._nonce(record.position, explicit)
        try:
            return self.suite.aead(self.key).decrypt(nonce, sealed, extra)
        except InvalidTag:
            return None

    def _nonce(self, position: int, explicit: bytes) -> bytes:
        """RFC 5288 §3, or RFC 7905 §2 where nothing of it is in the record."""
        if explicit:
            return self.iv + explicit
        return (int.from_bytes(self.iv, "big") ^ position).to_bytes(12, "big")


def write_keys(suite: Suite, secret: bytes, seed: bytes) -> tuple[WriteKey, WriteKey]:
    """The client's and the server's; an AEAD suite has no MAC keys (RFC 5246 §6.3)."""
    key, iv = suite.key_bytes, suite.iv_bytes
    block = key_expansion(secret, seed, 2 * (key + iv))
    ivs = block[2 * key :]
    return WriteKey(suite, block[:key], ivs[:iv]), WriteKey(suite, block[key : 2 * key], ivs[iv:])


class Remainder:
    """An association after its handshake. Sans-IO: datagrams in, datagrams out."""

    __slots__ = ("_ours", "_peers", "_repeats", "closed", "last_flight")

    def __init__(self, ours: WriteKey, peers: WriteKey, last_flight: tuple[bytes, ...]) -> None:
        self._ours = ours
        self._peers = peers
        self._repeats = 0
        self.last_flight = last_flight
        """Datagrams that the peer may not have got; empty where it had the last word."""
        self.closed = False
        """The peer has said close_notify or a fatal alert."""

    def receive(self, datagram: bytes) -> tuple[bytes, ...]:
        """What to answer. Records that are not the peer's, and all others, are left alone."""
        repeat = False
        for record in records(datagram):
            if record.epoch != 1:
                continue
            if record.kind == ALERT:
                self.closed |= _ends(self._peers.open(record))
            elif record.kind == HANDSHAKE:
                repeat |= self._peers.open(record) is not None
        return self._flight() if repeat and not self.closed else ()

    def _flight(self) -> tuple[bytes, ...]:
        """A peer that says Finished again has not got ours (RFC 6347 §4.2.4).

        The same records once more: its replay window takes those that it has not seen.
        """
        self._repeats += 1
        return self.last_flight if self._repeats <= MAX_REPEATS else ()

    def goodbye(self) -> bytes:
        """close_notify. To be said once: a second one would be the same record."""
        return self._ours.seal(ALERT, _GOODBYE, bytes((_WARNING, _CLOSE_NOTIFY)))


def _ends(alert: bytes | None) -> bool:
    """Whether an alert's text ends the association (RFC 5246 §7.2)."""
    if alert is None or len(alert) != 2:
        return False
    level, description = alert
    return level == _FATAL or description == _CLOSE_NOTIFY
