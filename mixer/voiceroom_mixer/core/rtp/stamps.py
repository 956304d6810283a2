"""Header extensions that carry times: when sound was captured, and where its delay came from.

abs-capture-time (http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time) comes from senders:
NTP time of the packet's first sample on their clock. mix-times is ours, to listeners: 12 bytes,

    sent: u32      when the mix was encoded, the middle 32 bits of our NTP time, as in our SRs
    origin: u16    from capture to the fastest arrival here, of the loudest person in the mix
    buffer: u16    from there to the tick that mixed it
    mix: u16       from when that tick was due until its sounds were there
    encode: u16    from there until the mix was encoded

with the last four in 1/65536 s, 65534 for all that is longer, and 65535 for what is not known. The
four of them before ``sent`` is when the sound was captured.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.rtp.reporting import middle32, ntp_from_wall, units_from_ns

CAPTURE_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
MIX_TIMES_URI: Final = "https://voiceroom.dev/rtp-hdrext/mix-times"
TIMES_BYTES: Final = 12
_UNKNOWN: Final = 0xFFFF
_MOST: Final = 0xFFFE
_TIMES: Final = struct.Struct("!IHHHH")
_CAPTURE: Final = struct.Struct("!Q")
_WITH_OFFSET: Final = struct.Struct("!Qq")


def parse_capture(data: bytes) -> int | None:
    """Capture time in ns since 1900 on the clock of the packet's sender; None for another length.

    The long form adds the capture system's clock less the sender's, Q32.32, which is taken out.
    """
    if len(data) == _CAPTURE.size:
        (stamp,) = _CAPTURE.unpack(data)
    elif len(data) == _WITH_OFFSET.size:
        stamp, offset = _WITH_OFFSET.unpack(data)
        stamp -= offset
    else:
        return None
    return ns_from_ntp(stamp)


def ns_from_ntp(ntp: int) -> int:
    """NTP time, 32.32 fixed point, to ns since 1900."""
    return ntp * NS_PER_S >> 32


class MixTimes(NamedTuple):
    """Durations in ns; ``origin_ns`` is None where the sender's clock is not known."""

    sent_wall_ns: int
    """Since 1970."""
    origin_ns: int | None
    buffer_ns: int
    mix_ns: int
    encode_ns: int

    def to_bytes(self) -> bytes:
        """As on the wire."""
        durations = (self.origin_ns, self.buffer_ns, self.mix_ns, self.encode_ns)
        sent = middle32(ntp_from_wall(self.sent_wall_ns))
        return _TIMES.pack(sent, *map(_units, durations))


def _units(ns: int | None) -> int:
    return _UNKNOWN if ns is None else min(units_from_ns(ns), _MOST)
