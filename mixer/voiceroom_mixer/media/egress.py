"""Out of the mixer: one payload, many listeners, one batch of datagrams."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from voiceroom_mixer.core.mix.result import MixOutput
from voiceroom_mixer.core.rtp.packet import build_extensions
from voiceroom_mixer.edge import srtp
from voiceroom_mixer.edge.mmsg import TX_BATCH, TX_BYTES, Sender
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.transmit import Transmit

SAMPLES_PER_SLOT: Final = 480
KEEPALIVE_SLOTS: Final = 38
"""A connected leg gets a packet at least every 400 ms (contract §5)."""
SILENCE: Final = {
    10: b"\xf0\xff\xfe",  # CELT fullband 10 ms, digital silence (RFC 6716 §3.1)
    20: b"\xf8\xff\xfe",
    40: b"\xf9\xff\xfe\xff\xfe",  # two equal frames of 20 ms
}
MAX_CSRC: Final = 15
FEW: Final = 4
"""Up to so many listeners, one by one is cheaper than column by column."""
_HEAD: Final = struct.Struct("!BBHII")
_PREFIX: Final = b"\x80\x00" + b"\0" * 10


class Egress:
    """Fills the sender's slab from mixes and flushes it; protects in place."""

    def __init__(self, sender: Sender, transmit: Transmit, rx_ssrc: Any, board: Board) -> None:
        self.sender = sender
        self._transmit = transmit
        self._rx_ssrc = rx_ssrc
        self._board = board
        self._pointers = srtp.RowPointers(sender.address, TX_BATCH, TX_BYTES)
        self._ready = transmit.ready
        self._silence_index = Board.INDEX["silence_frames_out"]

    @property
    def stamps(self) -> bool:
        """Whether any listener asked for mix-times."""
        return self._transmit.stamped

    def mix(
        self, output: MixOutput, grid_slot: int, frame_ms: int, *, dtx: bool, times: bytes = b""
    ) -> None:
        """Queue one distinct mix for all of its listeners. ``times``: of its packets, for those
        that asked for mix-times."""
        if times and output.payload is not None and self._transmit.stamped:
            output = self._stamped(output, grid_slot, times)
        slots = output.slots[self._ready[output.slots]]
        payload = output.payload
        if payload is None:
            payload = SILENCE[frame_ms]
            if dtx:
                slots = slots[self._transmit.last_slot[slots] <= grid_slot - KEEPALIVE_SLOTS]
            self._board.values[self._silence_index] += len(slots)
        if not len(slots):
            return
        extensions = self._transmit.level_ext[slots]
        if not extensions.any() or not output.contributors:
            self._queue(slots, _PREFIX + payload, grid_slot, output.resumed)
            return
        # Not np.unique: its first call imports numpy.ma, in the middle of a tick.
        for ext in sorted(set(extensions.tolist())):
            prefix = self._prefix(ext, output.contributors)
            self._queue(slots[extensions == ext], prefix + payload, grid_slot, output.resumed)

    def _stamped(self, output: MixOutput, grid_slot: int, times: bytes) -> MixOutput:
        """Queue a mix for listeners that asked for its times, one by one: they are few; the same
        mix, without them."""
        slots, transmit = output.slots, self._transmit
        wanted = (transmit.times_ext[slots] > 0) & self._ready[slots]
        payload = output.payload or b""
        for slot in slots[wanted].tolist():
            elements = [(int(transmit.times_ext[slot]), times)]
            prefix = self._prefix(int(transmit.level_ext[slot]), output.contributors, elements)
            self._queue(np.array([slot]), prefix + payload, grid_slot, output.resumed)
        return output._replace(slots=slots[~wanted])

    def _prefix(
        self,
        ext: int,
        contributors: tuple[tuple[int, int], ...],
        elements: Sequence[tuple[int, bytes]] = (),
    ) -> bytes:
        """Header with CSRC list, RFC 6465 levels, and other elements; the plain one where there
        are none."""
        shown = contributors[:MAX_CSRC] if ext else ()
        if shown:
            elements = [(ext, bytes(level & 0x7F for _, level in shown)), *elements]
        if not elements:
            return _PREFIX
        csrcs = b"".join(int(self._rx_ssrc[slot]).to_bytes(4, "big") for slot, _ in shown)
        head = bytes((0x90 | len(shown),)) + _PREFIX[1:]
        return head + csrcs + build_extensions(tuple(elements))

    def _queue(self, slots: Any, packet: bytes, grid_slot: int, marker: bool) -> None:
        """Rows for ``slots`` in as many batches as the slab needs."""
        for start in range(0, len(slots), TX_BATCH):
            part = slots[start : start + TX_BATCH]
            if len(part) > self.sender.room:
                self.flush()
            if len(part) <= FEW:
                for slot in part.tolist():
                    self._fill_one(slot, packet, grid_slot, marker)
            else:
                self._fill(part, packet, grid_slot, marker)

    def _fill_one(self, slot: int, packet: bytes, grid_slot: int, marker: bool) -> None:
        """As ``_fill`` for a single listener: a talker's own mix, without the columns' overhead."""
        transmit, sender = self._transmit, self.sender
        row, length = sender.used, len(packet)
        index = transmit.take_index(slot)
        timestamp = (transmit.epochs[slot] + grid_slot * SAMPLES_PER_SLOT) & 0xFFFF_FFFF
        second = transmit.payload_types[slot] | (0x80 if marker else 0)
        at = row * TX_BYTES
        sender.buffer[at : at + length] = packet
        _HEAD.pack_into(
            sender.buffer, at, packet[0], second, index & 0xFFFF, timestamp, transmit.ssrcs[slot]
        )
        sender.direct(row, transmit.paths[slot])
        sender.lengths[row] = length
        transmit.timestamp[slot] = timestamp
        transmit.packets[slot] += 1
        transmit.octets[slot] += length - 12
        transmit.last_slot[slot] = grid_slot
        sender.used = row + 1
        context = transmit.contexts[slot]
        if context is not None:
            self._pointers.lengths[row] = length
            pointers = self._pointers
            status = srtp.protect(context, pointers.rows[row], pointers.length_pointers[row])
            sender.lengths[row] = pointers.lengths[row]
            if status != srtp.OK:
                self._void([row])

    def _fill(self, slots: Any, packet: bytes, grid_slot: int, marker: bool) -> None:
        """Write the same packet for all ``slots``, then what differs, column by column."""
        transmit, sender = self._transmit, self.sender
        first, count = sender.used, len(slots)
        rows = slice(first, first + count)
        transmit.reserve(slots)
        index = transmit.index[slots]
        timestamps = transmit.epoch[slots] + np.uint32(grid_slot * SAMPLES_PER_SLOT & 0xFFFF_FFFF)
        sender.data[rows, : len(packet)] = np.frombuffer(packet, np.uint8)
        header = sender.rtp[rows]
        header["second"] = transmit.payload_type[slots] | (0x80 if marker else 0)
        header["seq"] = index & 0xFFFF
        header["timestamp"] = timestamps
        header["ssrc"] = transmit.ssrc[slots]
        sender.direct(rows, transmit.paths[slots])
        sender.lengths[rows] = len(packet)
        transmit.index[slots] = index + 1
        transmit.timestamp[slots] = timestamps
        transmit.packets[slots] += 1
        transmit.octets[slots] += len(packet) - 12
        transmit.last_slot[slots] = grid_slot
        sender.used = first + count
        self._protect(slots, first, len(packet))

    def _protect(self, slots: Any, first: int, length: int) -> None:
        """SRTP in place for the legs that have it."""
        secure = np.flatnonzero(self._transmit.secure[slots])
        if not len(secure):
            return
        rows = secure + first
        self._pointers.lengths[rows] = length
        pointers, lengths = self._pointers.rows, self._pointers.length_pointers
        contexts, protect = self._transmit.contexts, srtp.protect
        failed = []
        for row, slot in zip(rows.tolist(), slots[secure].tolist(), strict=True):
            if protect(contexts[slot], pointers[row], lengths[row]) != srtp.OK:
                failed.append(row)
        self.sender.lengths[rows] = self._pointers.lengths[rows]
        if failed:
            self._void(failed)

    def _void(self, rows: list[int]) -> None:
        """Unprotected sound must never leave: such a row becomes one byte that all peers ignore
        (RFC 7983: 192..255 is nobody's)."""
        self.sender.data[rows, 0] = 0xFF
        self.sender.lengths[rows] = 1
        self._board.add("tx_errors", len(rows))

    def datagram(self, path: bytes, packet: bytes) -> None:
        """Queue one datagram as it is (STUN, RTCP) along a path (``mmsg.PATH_BYTES``)."""
        sender = self.sender
        if not sender.room:
            self.flush()
        row = sender.used
        at = row * TX_BYTES
        sender.buffer[at : at + len(packet)] = packet
        sender.direct(row, np.frombuffer(path, np.uint8))
        sender.lengths[row] = len(packet)
        sender.used = row + 1

    def flush(self) -> int:
        """Send all that is queued; how many datagrams went out."""
        octets = int(self.sender.lengths[: self.sender.used].sum()) if self.sender.used else 0
        sent = self.sender.flush()
        self._board.add("tx_packets", sent)
        self._board.add("tx_bytes", octets)
        self._board.add("tx_errors", self.sender.errors)
        self._board.add("tx_eagain", self.sender.full)
        self.sender.errors = self.sender.full = 0
        return sent
