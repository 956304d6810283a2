"""What came in on the wire, packet by packet: proof that no SRTP index was used twice."""

from __future__ import annotations

import hashlib
import itertools
import struct
import time
from collections import defaultdict
from dataclasses import dataclass

from harness.rtp import FRAME, Heard, RtpLeg
from harness.webrtc import WebRtcLeg


class CapturedLeg(WebRtcLeg):
    """A WebRTC leg that keeps the digest of every SRTP packet, those refused as replays too."""

    def __init__(self, hz: float | None, *, levels: bool = False, host: str = "127.0.0.1") -> None:
        super().__init__(hz, levels=levels, host=host)
        self.captured: dict[tuple[int, int], set[bytes]] = defaultdict(set)
        """By SSRC and extended sequence number: the packets that came under it."""
        self.reports_captured: dict[tuple[int, int], set[bytes]] = defaultdict(set)
        """By SSRC and SRTCP index."""
        self._highest: dict[int, int] = {}

    def _srtp(self, data: bytes) -> None:
        digest = hashlib.sha256(data).digest()
        if 192 <= data[1] <= 223:
            ssrc, index = struct.unpack("!I", data[4:8])[0], struct.unpack("!I", data[-4:])[0]
            self.reports_captured[ssrc, index & 0x7FFF_FFFF].add(digest)
        else:
            seq, ssrc = struct.unpack_from("!HxxxxI", data, 2)
            self.captured[ssrc, self._extended(ssrc, seq)].add(digest)
        super()._srtp(data)

    def _extended(self, ssrc: int, seq: int) -> int:
        highest = self._highest.get(ssrc, seq)
        index = highest + ((seq - highest + 0x8000) & 0xFFFF) - 0x8000
        self._highest[ssrc] = max(highest, index)
        return index

    def no_index_came_twice(self) -> None:
        """One index, one packet: a copy of the same ciphertext gives nothing away."""
        for found in (self.captured, self.reports_captured):
            twice = {index: len(packets) for index, packets in found.items() if len(packets) > 1}
            assert not twice, twice
        assert self.captured


@dataclass(frozen=True)
class Passage:
    """What a receiver had of a move."""

    lost: int
    """Numbers missing within a stream."""
    repeated: int
    gap_ms: float
    """The longest pause between two packets."""
    streams: int
    """SSRCs."""

    def __str__(self) -> str:
        return (
            f"lost {self.lost}, repeated {self.repeated}, gap {self.gap_ms:.0f} ms, "
            f"{self.streams} SSRC"
        )


def passage(packets: list[Heard]) -> Passage:
    """Of consecutive packets, as they came."""
    pairs = list(itertools.pairwise(packets))
    steps = [(b.seq - a.seq) & 0xFFFF for a, b in pairs if a.ssrc == b.ssrc]
    return Passage(
        lost=sum(step - 1 for step in steps if 1 <= step < 0x8000),
        repeated=sum(step == 0 or step >= 0x8000 for step in steps),
        gap_ms=max((b.at_ns - a.at_ns) / 1e6 for a, b in pairs),
        streams=len({packet.ssrc for packet in packets}),
    )


def frames_are_whole(packets: list[Heard]) -> None:
    """Within a stream each packet is a whole number of frames after the one before."""
    for a, b in itertools.pairwise(packets):
        if a.ssrc == b.ssrc:
            step = (b.timestamp - a.timestamp) & 0xFFFF_FFFF
            assert step in range(FRAME, 100 * FRAME, FRAME), (a.seq, b.seq, step)


def since(leg: RtpLeg, moment_ns: int) -> list[Heard]:
    """Packets from a little before the moment."""
    return [packet for packet in leg.heard if packet.at_ns > moment_ns - 200_000_000]


def now_ns() -> int:
    """As in ``Heard.at_ns``."""
    return time.monotonic_ns()
