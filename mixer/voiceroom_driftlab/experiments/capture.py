"""RTP headers out of a capture; SRTP hides payloads only."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import dpkt

from voiceroom_api.units import NS_PER_S

_RTP: Final = struct.Struct("!BBHII")
_VERSION_2: Final = 2
_RTCP_TYPES: Final = range(64, 96)
"""Payload types that RTCP's packet types look like (RFC 5761 §4)."""
_LINKS: Final = {
    dpkt.pcap.DLT_EN10MB: dpkt.ethernet.Ethernet,
    dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
    dpkt.pcap.DLT_LINUX_SLL2: dpkt.sll2.SLL2,
    dpkt.pcap.DLT_NULL: dpkt.loopback.Loopback,
}
_RAW: Final = frozenset({12, 14, 101, 228, 229})
"""Raw IP: LINKTYPE_RAW is 101 in files, and 12 or 14 where a system wrote its own DLT_RAW."""
_IP6: Final = 6


class Rtp(NamedTuple):
    """One packet's header."""

    at_ns: int
    """Wall time of the capturing host."""
    ssrc: int
    seq: int
    timestamp: int


def read(path: Path) -> Iterator[Rtp]:
    """The RTP packets of a pcap or pcapng file. Raises ``ValueError`` for another file."""
    with path.open("rb") as file:
        try:
            reader = dpkt.pcap.UniversalReader(file)
            link = reader.datalink()
        except (ValueError, dpkt.UnpackError) as error:
            raise ValueError(f"{path} is neither pcap nor pcapng: {error}") from None
        if link not in _LINKS and link not in _RAW:
            raise ValueError(
                f"{path}: link type {link} is not known; capture with `tcpdump -i any`"
            )
        for at_s, frame in reader:
            found = rtp(_ns(at_s), link, frame)
            if found is not None:
                yield found


def _ns(seconds: float | Decimal) -> int:
    whole = int(seconds)
    return whole * NS_PER_S + round((seconds - whole) * NS_PER_S)


def rtp(at_ns: int, link: int, frame: bytes) -> Rtp | None:
    """A captured frame, cut short or not; None where it is no RTP packet."""
    try:
        datagram = getattr(_ip(link, frame), "data", None)
    except dpkt.UnpackError:
        return None
    if not isinstance(datagram, dpkt.udp.UDP):
        return None
    payload = bytes(datagram.data)
    if len(payload) < _RTP.size:
        return None
    first, second, seq, timestamp, ssrc = _RTP.unpack_from(payload)
    if first >> 6 != _VERSION_2 or (second & 0x7F) in _RTCP_TYPES:
        return None
    return Rtp(at_ns, ssrc, seq, timestamp)


def _ip(link: int, frame: bytes) -> Any:
    if link in _RAW:
        return (dpkt.ip6.IP6 if frame[:1] and frame[0] >> 4 == _IP6 else dpkt.ip.IP)(frame)
    return _LINKS[link](frame).data
