"""Egress by compiled batches: one call writes and protects a mix for all of its listeners."""

from __future__ import annotations

import ctypes
from itertools import chain
from struct import Struct
from typing import Any, Final

import numpy as np

from voiceroom_mixer.core.mix.result import MixOutput
from voiceroom_mixer.edge import srtp
from voiceroom_mixer.edge.mmsg import NAME_BYTES, TX_BATCH, TX_BYTES, Sender
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.egress import (
    KEEPALIVE_SLOTS,
    MAX_CSRC,
    SAMPLES_PER_SLOT,
    SILENCE,
    Egress,
)
from voiceroom_mixer.media.transmit import RESERVE, Transmit
from voiceroom_mixer.native import tx
from voiceroom_mixer.native.library import Native

_SILENT: Final = Board.INDEX["silence_frames_out"]
_SENT: Final = Board.INDEX["tx_packets"]
_BYTES: Final = Board.INDEX["tx_bytes"]
_PAIRS: Final = [Struct(f"={2 * count}q") for count in range(MAX_CSRC + 1)]


class NativeEgress(Egress):
    """As ``Egress``, which is its twin."""

    def __init__(
        self,
        library: ctypes.PyDLL,
        sender: Sender,
        transmit: Transmit,
        rx_ssrc: Any,
        board: Board,
    ) -> None:
        super().__init__(sender, transmit, rx_ssrc, board)
        self._writer = tx.Writer(
            library,
            {
                "index": transmit.index,
                "bound": transmit.bound,
                "packets": transmit.packets,
                "octets": transmit.octets,
                "sent_timestamp": transmit.timestamp,
                "last_slot": transmit.last_slot,
                "ready": transmit.ready,
                "secure": transmit.secure,
                "payload_type": transmit.payload_type,
                "level_ext": transmit.level_ext,
                "ssrc": transmit.ssrc,
                "epoch": transmit.epoch,
                "rx_ssrc": rx_ssrc,
                "context": transmit.context,
            },
            transmit.paths,
            headers=sender.headers.ctypes.data,
            protect=srtp.entry("srtp_protect"),
            fd=sender.fd,
            batch=TX_BATCH,
            row_bytes=TX_BYTES,
            name_bytes=NAME_BYTES,
            source_at=sender.source_at,
            source_bytes=sender.source_bytes,
            reserve=RESERVE,
            keepalive_slots=KEEPALIVE_SLOTS,
            samples_per_slot=SAMPLES_PER_SLOT,
        )

    def mix(
        self, output: MixOutput, grid_slot: int, frame_ms: int, *, dtx: bool, times: bytes = b""
    ) -> None:
        """As ``Egress.mix``."""
        if times and output.payload is not None and self._transmit.stamped:
            output = self._stamped(output, grid_slot, times)
        payload = output.payload
        flags = tx.MARKER if output.resumed else 0
        if payload is None:
            payload = SILENCE[frame_ms]
            flags |= tx.SILENCE | tx.KEEPALIVE if dtx else tx.SILENCE
        shown = output.contributors[:MAX_CSRC]
        pairs = _PAIRS[len(shown)].pack(*chain.from_iterable(shown)) if shown else b""
        sender, slots = self.sender, np.asarray(output.slots, np.int32)
        sender.used = self._writer.mix(sender.used, slots, payload, pairs, grid_slot, flags)

    def flush(self) -> int:
        """As ``Egress.flush``; also what had to go before, as the slab was full."""
        sender, state, values = self.sender, self._writer.state, self._board.values
        if sender.used:
            self._writer.flush(sender.used)
            sender.used = 0
        sent = state.sent
        values[_SENT] += sent
        values[_BYTES] += state.bytes
        values[_SILENT] += state.silent
        sender.sent += sent
        state.sent = state.bytes = state.silent = 0
        if state.errors or state.full or state.voided:
            self._board.add("tx_errors", state.errors + state.voided)
            self._board.add("tx_eagain", state.full)
            state.errors = state.full = state.voided = 0
        return sent


def open_egress(
    native: Native, sender: Sender, transmit: Transmit, rx_ssrc: Any, board: Board
) -> Egress:
    """The compiled send side, or its Python twin."""
    if native.library is None:
        return Egress(sender, transmit, rx_ssrc, board)
    return NativeEgress(native.library, sender, transmit, rx_ssrc, board)
