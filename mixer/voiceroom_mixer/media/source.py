"""From an authenticated leg: RTP to its receiver, RTCP to its reports."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from voiceroom_api.units import seq_diff
from voiceroom_mixer.core.rtp.packet import find_element, parse_level
from voiceroom_mixer.edge import srtp
from voiceroom_mixer.edge.mmsg import RX_BYTES, RtpHead
from voiceroom_mixer.edge.srtp import SrtpReceiver
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.legs import Leg

_WORDS: Final = struct.Struct("!H")
_STAMP: Final = struct.Struct("!I")
_NEAR_WRAP: Final = 0x8000


def note_capture(leg: Leg, buffer: memoryview, at: int, end: int) -> None:
    """Keep the capture time of the packet at ``at``, which has an extension, if it has one; what it
    says is worked out in spare time (``media/delays.py``)."""
    start = at + 12 + 4 * (buffer[at] & 15)
    found = find_element(buffer, start, end, leg.capture_ext)
    if found:
        leg.captured = int(_STAMP.unpack_from(buffer, at + 4)[0]), found


class RtpSource:
    """Unprotects, checks and hands on; whatever is wrong is a counter."""

    pointers: srtp.RowPointers

    def __init__(
        self,
        buffer: memoryview,
        board: Board,
        *,
        on_rtcp: Callable[[Leg, bytes, int], None],
        on_heard: Callable[[Leg], None],
    ) -> None:
        self._buffer = buffer
        self._board = board
        self._on_rtcp = on_rtcp
        self._on_heard = on_heard
        self.now_ns = 0
        """CLOCK_MONOTONIC of this drain."""
        self.touched: dict[int, Leg] = {}
        """Legs heard from since the loop last published their indexes."""
        self.publish_batches: Callable[[], None] | None = None
        """Publishes the indexes of legs that compiled code heard from."""

    def packet(self, leg: Leg, row: int, length: int, head: RtpHead, arrival_ns: int) -> None:
        """One datagram with a first byte of 128..191 (version 2), in row ``row`` of the slab.

        This runs for every packet: what is usual stands here in line, what is not has a method.
        """
        if length < 12:
            return self._short(leg, row, length)
        first, second, seq, timestamp, ssrc = head
        if 192 <= second <= 223:
            leg.report_arrival_ns = arrival_ns
            return self._rtcp(leg, row, length)
        stream = leg.stream
        usual = ssrc == stream.rx_ssrc and stream.resume_index < 0
        if leg.secure:
            length = self._unprotect(leg, row, length, ssrc, seq, usual)
            if length < 12:
                return None
        stream.last_rx_ns = self.now_ns
        at = row * RX_BYTES
        start, end, level, voice = at + 12, at + length, -1, False
        if first & 0x3F:
            start, end, level, voice = self._uncommon(leg, first, at, end)
        if start >= end:
            return self._board.drop("rtp_malformed")
        if second & 0x7F != leg.payload_type:
            return self._board.drop("rtp_payload_type")
        if usual and stream.rx_index >= 0:
            ahead = (seq - stream.rx_index) & 0xFFFF
            if ahead < 0x8000:
                stream.rx_index += ahead
            self.touched[leg.slot] = leg
        else:
            self._begin_or_advance(leg, ssrc, seq)
        if not leg.sends:
            return self._board.drop("not_allowed")
        payload = bytes(self._buffer[start:end])
        leg.receiver.push(ssrc, seq, timestamp, payload, level, voice, arrival_ns)
        return None

    def _uncommon(self, leg: Leg, first: int, at: int, end: int) -> tuple[int, int, int, bool]:
        """Start and end of the payload, level and voice flag, of a packet with CSRCs, an extension
        or padding; an empty payload when it does not add up."""
        start, level, voice = at + 12 + 4 * (first & 15), -1, False
        if first & 0x10:
            if start + 4 > end:
                return end, end, -1, False
            if leg.level_ext:
                level, voice = parse_level(self._buffer, start, end, leg.level_ext)
            if leg.capture_ext:
                note_capture(leg, self._buffer, at, end)
            start += 4 + 4 * int(_WORDS.unpack_from(self._buffer, start + 2)[0])
        if first & 0x20 and start < end:
            end -= self._buffer[end - 1]
        return start, end, level, voice

    def _short(self, leg: Leg, row: int, length: int) -> None:
        """Too short for RTP; the shortest RTCP packet has 8 bytes."""
        if length >= 8 and 192 <= self._buffer[row * RX_BYTES + 1] <= 223:
            self._rtcp(leg, row, length)
        else:
            self._board.drop("rtp_malformed")

    def _unprotect(self, leg: Leg, row: int, length: int, ssrc: int, seq: int, usual: bool) -> int:
        """Length of the plain packet, in place; 0 when it was dropped (and counted).

        The row's length stands in ``pointers.lengths`` already.
        """
        inbound = leg.srtp
        if inbound is None:
            self._board.drop("srtp_no_keys")
            return 0
        if not usual and not inbound.admits(ssrc):
            self._board.drop("rtp_ssrc")
            return 0
        pointers = self.pointers
        # A failed attempt of AES-GCM leaves nothing of the packet to try again with.
        saved = bytes(self._row(row, length)) if leg.stream.wrap_tries else b""
        status = srtp.unprotect(leg.rx_context, pointers.rows[row], pointers.length_pointers[row])
        if status:
            return self._refused(leg, row, saved, ssrc, seq, status)
        if not usual and not self._welcome(leg, inbound, ssrc, seq):
            return 0
        return int(pointers.lengths[row])

    def _row(self, row: int, length: int) -> memoryview:
        return self._buffer[row * RX_BYTES : row * RX_BYTES + length]

    def _refused(self, leg: Leg, row: int, saved: bytes, ssrc: int, seq: int, status: int) -> int:
        """libsrtp said no: once more past a wrap where that may be why, else count."""
        if status == srtp.AUTH_FAIL and leg.stream.wrap_tries:
            status = self._after_wrap(leg, row, saved, ssrc, seq)
            if status == srtp.OK:
                return int(self.pointers.lengths[row])
        replayed = status in (srtp.REPLAY_FAIL, srtp.REPLAY_OLD)
        self._board.drop("srtp_replay" if replayed else "srtp_auth")
        return 0

    def _welcome(self, leg: Leg, inbound: SrtpReceiver, ssrc: int, seq: int) -> bool:
        """An authentic packet of a new or a resumed stream; False when it was played already."""
        if ssrc != leg.rx_ssrc:
            inbound.accepted(ssrc)
        elif self._played(leg, seq):
            self._board.drop("srtp_replay")
            return False
        return True

    def _after_wrap(self, leg: Leg, row: int, saved: bytes, ssrc: int, seq: int) -> int:
        """A resumed stream may have wrapped while nobody listened: libsrtp, told r, refuses the
        first packet of r + 1. Try that one, a bounded number of times."""
        leg.stream.wrap_tries -= 1
        near_end = leg.rx_index & 0xFFFF >= _NEAR_WRAP
        if ssrc != leg.rx_ssrc or leg.srtp is None or not near_end or seq >= _NEAR_WRAP:
            return srtp.AUTH_FAIL
        leg.srtp.set_roc(ssrc, (leg.rx_index >> 16) + 1)
        pointers = self.pointers
        self._row(row, len(saved))[:] = saved
        pointers.lengths[row] = len(saved)
        status = int(
            srtp.unprotect(leg.rx_context, pointers.rows[row], pointers.length_pointers[row])
        )
        if status != srtp.OK:
            leg.srtp.set_roc(ssrc, leg.rx_index >> 16)
        return status

    def _played(self, leg: Leg, seq: int) -> bool:
        """Whether this packet came before the restart: libsrtp's replay window began empty."""
        return leg.rx_index + seq_diff(seq, leg.rx_index & 0xFFFF) <= leg.stream.resume_index

    def _begin_or_advance(self, leg: Leg, ssrc: int, seq: int) -> None:
        """The first packet of a stream, or one of a stream that was resumed."""
        stream = leg.stream
        if ssrc != stream.rx_ssrc or stream.rx_index < 0:
            stream.rx_ssrc, stream.rx_index, stream.resume_index = ssrc, seq, -1
            if leg.srtp is not None:
                stream.rx_index |= leg.srtp.roc(ssrc) << 16
        else:
            stream.rx_index += max(0, seq_diff(seq, stream.rx_index & 0xFFFF))
            if stream.rx_index - stream.resume_index > srtp.WINDOW:
                stream.resume_index = -1  # libsrtp's own replay window covers the stream again
        stream.wrap_tries = 0
        self.touched[leg.slot] = leg
        if not stream.heard:
            stream.heard = True
            self._on_heard(leg)

    def _rtcp(self, leg: Leg, row: int, length: int) -> None:
        packet = bytes(self._row(row, length))
        if leg.secure:
            if leg.srtp is None:
                return self._board.drop("srtp_no_keys")
            plain = leg.srtp.unprotect_rtcp(packet)
            if plain is None:
                return self._board.drop("srtp_auth")
            packet = plain
        leg.stream.last_rx_ns = self.now_ns
        self._on_rtcp(leg, packet, self.now_ns)
        return None

    def publish(self, columns: dict[str, Any]) -> None:
        """Write the receive indexes of the legs heard from into the segment, all at once."""
        if self.touched:
            publish_indexes(self.touched, columns)
        if self.publish_batches is not None:
            self.publish_batches()


def publish_indexes(touched: dict[int, Leg], columns: dict[str, Any]) -> None:
    """Write the receive indexes of the legs heard from into the segment, all at once."""
    # the slot of a leg that is gone may be another's by now
    legs = [leg for leg in touched.values() if leg.listed]
    slots = [leg.slot for leg in legs]
    columns["rx_ssrc"][slots] = [leg.rx_ssrc for leg in legs]
    columns["rx_index"][slots] = [leg.rx_index for leg in legs]
    columns["last_rx_ns"][slots] = [leg.last_rx_ns for leg in legs]
    touched.clear()
