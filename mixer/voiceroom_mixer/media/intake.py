"""Ingress by compiled batches: only what is not a matter of course comes up to Python."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from voiceroom_mixer.core.receive.model import Taken
from voiceroom_mixer.edge import srtp
from voiceroom_mixer.edge.mmsg import NAME_BYTES, RX_BATCH, RX_BYTES, Receiver
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.ingress import MAX_BATCHES, Ingress
from voiceroom_mixer.media.legs import Leg
from voiceroom_mixer.media.source import note_capture
from voiceroom_mixer.native.library import Native
from voiceroom_mixer.native.rx import ARRIVALS, DROPS, Rows, Slab, Sorter, Sources, Stop

_HEAD: Final = struct.Struct("!BBHII")
_PACKETS: Final = Board.INDEX["rx_packets"]
_BYTES: Final = Board.INDEX["rx_bytes"]


class Intake:
    """The compiled half of one media process's receive side."""

    def __init__(self, rows: Rows, sources: Sources) -> None:
        self.rows, self.sources = rows, sources

    def sorter(self, receiver: Receiver, lengths: Any, columns: dict[str, Any]) -> Sorter:
        """A sorter over the receiver's slab; ``lengths`` are libsrtp's of its rows."""
        slab = Slab(
            fd=receiver.fd,
            batch=RX_BATCH,
            headers=receiver.headers.ctypes.data,
            data=receiver.address,
            names=receiver.names.ctypes.data,
            control=receiver.control.ctypes.data,
            lengths=lengths.ctypes.data,
            row_bytes=RX_BYTES,
            name_bytes=NAME_BYTES,
            control_bytes=receiver.control.shape[1],
        )
        return Sorter(self.rows, self.sources, slab, columns, srtp.entry("srtp_unprotect"))


def open_intake(native: Native, legs: int, key_bytes: int) -> Intake | None:
    """The compiled receive side for ``legs`` slots; None where the Python twin runs."""
    if native.library is None:
        return None
    return Intake(Rows(native.library, legs), Sources(native.library, key_bytes))


class NativeIngress(Ingress):
    """As ``Ingress``, which is its twin."""

    def __init__(
        self,
        intake: Intake,
        receiver: Receiver,
        *arguments: Any,
        columns: dict[str, Any],
        **callbacks: Any,
    ) -> None:
        super().__init__(receiver, *arguments, **callbacks)
        self._sorter = intake.sorter(receiver, self._pointers.lengths, columns)
        self._source.publish_batches = self._sorter.publish

    def drain(self, now_ns: int, offset_ns: int, since_ns: int, raw_ns: int) -> int:
        """As ``Ingress.drain``."""
        self._now_ns = self._source.now_ns = now_ns
        sorter, state = self._sorter, self._sorter.state
        state.now_ns, state.offset_ns = now_ns, offset_ns
        state.since_ns, state.raw_ns = since_ns, raw_ns
        state.latching = bool(self._legs.waiting)
        total = 0
        for _ in range(MAX_BATCHES):
            self._finish(sorter.batch())
            count = state.count
            total += count
            if count < RX_BATCH:
                break
        if total:
            self._count(total)
        return total

    def _finish(self, found: int) -> None:
        """What came up of a batch, and of the rest of it behind every stop."""
        sorter, state = self._sorter, self._sorter.state
        self._receiver.count = state.count
        while True:
            if found:
                self._taken(sorter.taken[:found].tolist())
            stop = state.stop
            if stop == Stop.DONE:
                return
            if stop != Stop.AGAIN:
                self._stopped(stop, state.stop_row, state.stop_slot)
                state.latching = bool(self._legs.waiting)
            found = sorter.go_on()

    def _taken(self, taken: Sequence[Sequence[int]]) -> None:
        """Packets of legs that are heard, or are about to be."""
        by_slot, buffer = self._legs.by_slot, self._receiver.buffer
        for slot, start, size, how, number, stamp, low, arrival, quiet, level, voice in taken:
            leg = by_slot.get(slot)
            if leg is None:  # ended by a fault of its packet before
                self._board.drop("unknown_source")
                continue
            payload = bytes(buffer[start : start + size])
            if leg.capture_ext:
                self._captured(leg, start)
            arrived = ARRIVALS[how]
            try:
                receiver = leg.receiver
                receiver.take(
                    Taken(
                        arrived, number, stamp, low, arrival, quiet > 0, level, voice > 0, payload
                    )
                )
                leg.stream.awake = receiver.active
            except Exception:
                # As in ``Ingress``: a broken invariant of ours ends this leg only.
                self._on_fault(leg)

    def _captured(self, leg: Leg, start: int) -> None:
        """``start`` is that of a payload in the slab: its packet may say when it was captured."""
        at, buffer = start // RX_BYTES * RX_BYTES, self._receiver.buffer
        if buffer[at] & 0x10:
            note_capture(leg, buffer, at, start)

    def _stopped(self, stop: int, row: int, slot: int) -> None:
        """One datagram that Python must look at before the next ones are sorted."""
        length = int(self._pointers.lengths[row])
        at = row * RX_BYTES
        if stop == Stop.OTHER:
            self._arrival_ns = int(self._sorter.arrivals[row])
            return self._other(row, length, self._receiver.buffer[at])
        leg = self._legs.by_slot.get(slot) if stop == Stop.PACKET else self._latch(row, length)
        if leg is None:
            return None
        head = _HEAD.unpack_from(self._receiver.buffer, at)
        self._from_leg(leg, row, length, head, int(self._sorter.arrivals[row]))
        leg.stream.awake = leg.receiver is not None and leg.receiver.active
        return None

    def _count(self, total: int) -> None:
        """Into the board what was counted since the last drain."""
        values, state = self._board.values, self._sorter.state
        values[_PACKETS] += total
        values[_BYTES] += state.octets
        state.octets = 0
        for index, dropped in enumerate(state.drops):
            if dropped:
                self._board.drop(DROPS[index], dropped)
                state.drops[index] = 0
        if state.overflowed:
            self._board.add("drop_socket_overflow", state.overflowed)
            state.overflowed = 0
