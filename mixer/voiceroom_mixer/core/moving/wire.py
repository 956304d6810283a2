"""Datagrams between mixers of a pool: bytes to values and back (contract §8).

    0xC0 | kind   1 byte: above every first byte of RFC 7983
    version       1 byte
    body          as the kind has it, big-endian
    tag           16 bytes: HMAC-SHA256 over all before it, cut (RFC 2104 §5), under the pool's key

The tag is checked before anything else is believed. While keys rotate a receiver holds two.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable, Sequence
from typing import Final

from voiceroom_mixer.core.moving.messages import (
    IP_BYTES,
    LEG_BYTES,
    POD_BYTES,
    ROOM_BYTES,
    Ask,
    Beat,
    Epoch,
    Kind,
    LegCut,
    Message,
    RelayDown,
    RelayUp,
    Stopped,
    StoppedAck,
    Tell,
)

FIRST_BYTE: Final = 0xC0
VERSION: Final = 1
TAG_BYTES: Final = 16
MIN_KEY_BYTES: Final = 16
MAX_BYTES: Final = 1400
"""Of a datagram without relayed payload: it fits every path, so that it is never cut in two."""

_HEAD: Final = struct.Struct("!BB")
_BEAT: Final = struct.Struct(f"!{POD_BYTES}sQ")
_RELAY: Final = struct.Struct(f"!{LEG_BYTES}s{IP_BYTES}sH")
_STOPPED: Final = struct.Struct(f"!{ROOM_BYTES}sIqHHH")
_CUT: Final = struct.Struct(f"!{LEG_BYTES}sQIIIqq")
_ACK: Final = struct.Struct(f"!{ROOM_BYTES}sIH")
_EPOCH: Final = struct.Struct(f"!{ROOM_BYTES}sI")
_ASK: Final = struct.Struct(f"!{POD_BYTES}sQ")
_TELL: Final = struct.Struct("!Q?")

LEGS_PER_PART: Final = (MAX_BYTES - _HEAD.size - _STOPPED.size - TAG_BYTES) // _CUT.size


class WireError(ValueError):
    """Not a datagram of this pool; the text is the reason that it is counted under."""


def _put_stopped(m: Stopped) -> bytes:
    head = _STOPPED.pack(m.room, m.epoch, m.tick, m.part, m.parts, len(m.legs))
    return head + b"".join(
        _CUT.pack(c.leg, c.tx_index, c.tx_srtcp, c.tx_timestamp, c.rx_ssrc, c.rx_index, c.rx_srtcp)
        for c in m.legs
    )


def _get_stopped(body: bytes) -> Stopped:
    room, epoch, tick, part, parts, count = _STOPPED.unpack_from(body)
    cuts = body[_STOPPED.size :]
    if len(cuts) != count * _CUT.size or not 0 <= part < parts:
        raise WireError("mixer_malformed")
    legs = tuple(LegCut(*fields) for fields in _CUT.iter_unpack(cuts))
    return Stopped(room, epoch, tick, part, parts, legs)


def _put_relay(m: RelayUp | RelayDown) -> bytes:
    return _RELAY.pack(m.leg, m.ip, m.port) + m.payload


def _get_relay(kind: type[RelayUp] | type[RelayDown], body: bytes) -> RelayUp | RelayDown:
    leg, ip, port = _RELAY.unpack_from(body)
    return kind(leg, ip, port, body[_RELAY.size :])


def _body(message: Message) -> tuple[Kind, bytes]:
    match message:
        case Beat(pod, sequence):
            return Kind.BEAT, _BEAT.pack(pod, sequence)
        case RelayUp():
            return Kind.RELAY_UP, _put_relay(message)
        case RelayDown():
            return Kind.RELAY_DOWN, _put_relay(message)
        case Stopped():
            return Kind.STOPPED, _put_stopped(message)
        case StoppedAck(room, epoch, part):
            return Kind.STOPPED_ACK, _ACK.pack(room, epoch, part)
        case Epoch(room, epoch):
            return Kind.EPOCH, _EPOCH.pack(room, epoch)
        case Ask(pod, nonce):
            return Kind.ASK, _ASK.pack(pod, nonce)
        case Tell(nonce, hears):
            return Kind.TELL, _TELL.pack(nonce, hears)


_GET: Final[dict[Kind, Callable[[bytes], Message]]] = {
    Kind.BEAT: lambda body: Beat(*_BEAT.unpack(body)),
    Kind.RELAY_UP: lambda body: _get_relay(RelayUp, body),
    Kind.RELAY_DOWN: lambda body: _get_relay(RelayDown, body),
    Kind.STOPPED: _get_stopped,
    Kind.STOPPED_ACK: lambda body: StoppedAck(*_ACK.unpack(body)),
    Kind.EPOCH: lambda body: Epoch(*_EPOCH.unpack(body)),
    Kind.ASK: lambda body: Ask(*_ASK.unpack(body)),
    Kind.TELL: lambda body: Tell(*_TELL.unpack(body)),
}


def _tag(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")[:TAG_BYTES]


def seal(key: bytes, message: Message) -> bytes:
    """The datagram of a message. ``key`` has at least 16 bytes."""
    assert len(key) >= MIN_KEY_BYTES
    kind, body = _body(message)
    data = _HEAD.pack(FIRST_BYTE | kind, VERSION) + body
    return data + _tag(key, data)


def unseal(keys: Sequence[bytes], datagram: bytes) -> Message:
    """What a datagram says. Raises ``WireError`` ``mixer_short``, ``mixer_auth``,
    ``mixer_version`` or ``mixer_malformed``; nothing but the length is looked at before the tag."""
    if len(datagram) < _HEAD.size + TAG_BYTES:
        raise WireError("mixer_short")
    data, tag = datagram[:-TAG_BYTES], datagram[-TAG_BYTES:]
    if not any(hmac.compare_digest(_tag(key, data), tag) for key in keys):
        raise WireError("mixer_auth")
    first, version = _HEAD.unpack_from(data)
    if version != VERSION:
        raise WireError("mixer_version")
    try:
        return _GET[Kind(first & 0x3F)](data[_HEAD.size :])
    except (struct.error, ValueError) as error:
        raise WireError("mixer_malformed") from error


def is_of_mixers(first_byte: int) -> bool:
    """Whether a datagram claims to be one of these (192..255)."""
    return first_byte >= FIRST_BYTE
