"""STUN binding requests and their answers, as much as ICE-lite needs (RFC 8489, RFC 8445 §7.3).

Bytes in, bytes out. Nothing here trusts the peer: a datagram is either an authenticated binding
request or a ``StunError`` that names why it is not.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from dataclasses import dataclass
from typing import Final

BINDING_REQUEST: Final = 0x0001
BINDING_INDICATION: Final = 0x0011
BINDING_SUCCESS: Final = 0x0101
BINDING_ERROR: Final = 0x0111
MAGIC_COOKIE: Final = 0x2112A442
HEADER_BYTES: Final = 20

USERNAME: Final = 0x0006
MESSAGE_INTEGRITY: Final = 0x0008
ERROR_CODE: Final = 0x0009
UNKNOWN_ATTRIBUTES: Final = 0x000A
XOR_MAPPED_ADDRESS: Final = 0x0020
PRIORITY: Final = 0x0024
USE_CANDIDATE: Final = 0x0025
ICE_CONTROLLED: Final = 0x8029
FINGERPRINT: Final = 0x8028
FINGERPRINT_XOR: Final = 0x5354554E
_UNDERSTOOD: Final = frozenset(
    (USERNAME, MESSAGE_INTEGRITY, PRIORITY, USE_CANDIDATE, 0x001C, 0x001D)
)
"""Comprehension-required attributes that may stand in a request; others get 420."""
_MAX_ATTRIBUTES: Final = 32
_PEER_REFLEXIVE: Final = 110 << 24 | 0xFFFF << 8 | 255
"""Priority of a candidate that a check would disclose (RFC 8445 §5.1.2.1)."""
_HEAD: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")


class StunError(ValueError):
    """Not a STUN message that we can use; the text is the drop reason's detail."""


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """A parsed, not yet authenticated binding request."""

    transaction: bytes
    local_ufrag: str
    """The part of USERNAME before the colon: ours."""
    remote_ufrag: str
    use_candidate: bool
    unknown: tuple[int, ...]
    """Comprehension-required attributes that we do not know (RFC 8489 §6.3.1)."""
    integrity_at: int
    """Offset of the MESSAGE-INTEGRITY attribute."""
    raw: bytes


def message_type(datagram: bytes) -> int:
    """The message type; raises ``StunError`` unless the header is a STUN header of this length."""
    if len(datagram) < HEADER_BYTES:
        raise StunError("STUN header is truncated")
    kind, length, cookie, _transaction = _HEAD.unpack_from(datagram)
    if cookie != MAGIC_COOKIE or kind & 0xC000:
        raise StunError("STUN magic cookie is missing")
    if length & 3 or length != len(datagram) - HEADER_BYTES:
        raise StunError("STUN length does not match the datagram")
    return int(kind)


def parse_request(datagram: bytes) -> BindingRequest:
    """Parse a binding request. Raises ``StunError``; whether it is authentic, ``verify`` tells."""
    if message_type(datagram) != BINDING_REQUEST:
        raise StunError("STUN message is not a binding request")
    attributes = _attributes(datagram)
    if MESSAGE_INTEGRITY not in attributes or USERNAME not in attributes:
        raise StunError("STUN request has no USERNAME or no MESSAGE-INTEGRITY")
    at, length = attributes[USERNAME]
    local, _, remote = datagram[at : at + length].decode("ascii", "replace").partition(":")
    unknown = tuple(k for k in attributes if k < 0x8000 and k not in _UNDERSTOOD)
    integrity, length = attributes[MESSAGE_INTEGRITY]
    if length != 20:
        raise StunError("STUN MESSAGE-INTEGRITY has a wrong length")
    return BindingRequest(
        datagram[8:20], local, remote, USE_CANDIDATE in attributes, unknown, integrity - 4, datagram
    )


def _attributes(datagram: bytes) -> dict[int, tuple[int, int]]:
    """Offset and length of each attribute's value, up to MESSAGE-INTEGRITY (later ones, but
    FINGERPRINT, are ignored: RFC 8489 §14.5)."""
    found: dict[int, tuple[int, int]] = {}
    at, end = HEADER_BYTES, len(datagram)
    while at < end:
        if end - at < 4 or len(found) >= _MAX_ATTRIBUTES:
            raise StunError("STUN attributes are malformed")
        kind, length = _ATTRIBUTE.unpack_from(datagram, at)
        at += 4
        if at + length > end:
            raise StunError("STUN attribute is truncated")
        if MESSAGE_INTEGRITY not in found and kind not in found:
            found[kind] = (at, length)
        at += (length + 3) & ~3
    return found


@dataclass(frozen=True, slots=True)
class BindingSuccess:
    """A parsed, not yet authenticated answer to a check of ours."""

    transaction: bytes
    integrity_at: int
    """Offset of the MESSAGE-INTEGRITY attribute."""
    raw: bytes


def parse_success(datagram: bytes) -> BindingSuccess:
    """Parse a success response. Raises ``StunError``; whether it is authentic, ``verify`` tells."""
    if message_type(datagram) != BINDING_SUCCESS:
        raise StunError("STUN message is not a success response")
    at, length = _attributes(datagram).get(MESSAGE_INTEGRITY, (0, 0))
    if length != 20:
        raise StunError("STUN response has no MESSAGE-INTEGRITY, or one of a wrong length")
    return BindingSuccess(datagram[8:20], at - 4, datagram)


def verify(message: BindingRequest | BindingSuccess, password: str) -> bool:
    """Whether MESSAGE-INTEGRITY was made with ``password`` (RFC 8489 §14.5, short-term)."""
    at = message.integrity_at
    head = message.raw[:2] + struct.pack("!H", at + 24 - HEADER_BYTES) + message.raw[4:at]
    digest = hmac.digest(password.encode(), head, "sha1")
    return hmac.compare_digest(digest, message.raw[at + 4 : at + 24])


def success(transaction: bytes, ip: bytes, port: int, password: str) -> bytes:
    """A binding success response with XOR-MAPPED-ADDRESS of the 4- or 16-byte ``ip``."""
    mask = struct.pack("!I", MAGIC_COOKIE) + transaction
    mapped = bytes(a ^ b for a, b in zip(ip, mask, strict=False))
    family = 1 if len(ip) == 4 else 2
    value = struct.pack("!HH", family, port ^ (MAGIC_COOKIE >> 16)) + mapped
    return _seal(BINDING_SUCCESS, transaction, _attribute(XOR_MAPPED_ADDRESS, value), password)


def unknown_attributes(transaction: bytes, unknown: tuple[int, ...], password: str) -> bytes:
    """A 420 error response (RFC 8489 §6.3.1.1)."""
    body = _attribute(ERROR_CODE, struct.pack("!HBB", 0, 4, 20) + b"Unknown Attribute")
    body += _attribute(UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(unknown)}H", *unknown))
    return _seal(BINDING_ERROR, transaction, body, password)


def request(
    transaction: bytes, username: str, password: str, *, use_candidate: bool, priority: int
) -> bytes:
    """A binding request as a controlling client sends it; tests and tools speak through it."""
    body = _attribute(USERNAME, username.encode())
    body += _attribute(PRIORITY, struct.pack("!I", priority))
    body += _attribute(USE_CANDIDATE, b"") if use_candidate else b""
    return _seal(BINDING_REQUEST, transaction, body, password)


def consent_check(transaction: bytes, username: str, password: str) -> bytes:
    """A binding request on a path that is in use (RFC 7675 §5.1), from the controlled side; it
    nominates nothing. ``username``: theirs, a colon, ours; ``password``: theirs."""
    body = _attribute(USERNAME, username.encode())
    body += _attribute(PRIORITY, struct.pack("!I", _PEER_REFLEXIVE))
    # The tie-breaker decides only where both sides say that they are controlled.
    body += _attribute(ICE_CONTROLLED, transaction[:8])
    return _seal(BINDING_REQUEST, transaction, body, password)


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _seal(kind: int, transaction: bytes, body: bytes, password: str) -> bytes:
    """Add header, MESSAGE-INTEGRITY and FINGERPRINT."""
    head = _HEAD.pack(kind, len(body) + 24, MAGIC_COOKIE, transaction)
    digest = hmac.digest(password.encode(), head + body, "sha1")
    sealed = body + _attribute(MESSAGE_INTEGRITY, digest)
    head = _HEAD.pack(kind, len(sealed) + 8, MAGIC_COOKIE, transaction)
    crc = zlib.crc32(head + sealed) ^ FINGERPRINT_XOR
    return head + sealed + _attribute(FINGERPRINT, struct.pack("!I", crc))
