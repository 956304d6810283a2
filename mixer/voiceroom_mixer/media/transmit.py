"""What egress must know of every leg slot, as columns: one numpy operation serves all listeners."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np

from voiceroom_mixer.core.state.legstate import LegState
from voiceroom_mixer.edge.mmsg import PATH_BYTES
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.edge.srtp import SrtpSender

RESERVE: Final = 64
"""SRTP indexes reserved ahead in the segment: a restart begins behind them (contract §6)."""
RTCP_RESERVE: Final = 4
LONG_AGO: Final = -(1 << 40)


class Transmit:
    """Columns by leg slot. ``tx_index`` and its bound live in the segment, the rest here."""

    def __init__(self, segment: Segment) -> None:
        legs = self.slots = segment.capacity.legs
        self.index: Any = segment.columns["tx_index"]
        self.bound: Any = segment.columns["tx_bound"]
        self.srtcp_bound: Any = segment.columns["srtcp_bound"]
        self.packets: Any = segment.columns["tx_packets"]
        self.octets: Any = segment.columns["tx_octets"]
        self.timestamp: Any = segment.columns["tx_timestamp"]
        self.used_ssrc: Any = segment.columns["tx_ssrc"]
        self.ready = np.zeros(legs, np.bool_)
        """May be sent to: address known, and keys where the leg has SRTP."""
        self.relayed = np.zeros(legs, np.bool_)
        """The same, but for legs that another pod relays to (``media/moving``)."""
        self.ssrc = np.zeros(legs, np.uint32)
        self.epoch = np.zeros(legs, np.uint32)
        self.payload_type = np.zeros(legs, np.uint8)
        self.level_ext = np.zeros(legs, np.uint8)
        self.times_ext = np.zeros(legs, np.uint8)
        """mix-times extension ids; 0 = none."""
        self.stamped = False
        """Whether any leg has one."""
        self.secure = np.zeros(legs, np.bool_)
        self.paths = np.zeros((legs, PATH_BYTES), np.uint8)
        self.last_slot = np.full(legs, LONG_AGO, np.int64)
        """Grid slot of the latest packet: the 400 ms rule."""
        # The same once more as plain integers, for listeners that are served one by one.
        self.ssrcs = [0] * legs
        self.epochs = [0] * legs
        self.payload_types = [0] * legs
        self.contexts: list[Any] = [None] * legs
        self.context = np.zeros(legs, np.uint64)
        """Addresses of the contexts, 0 = none, for compiled code."""
        self.senders: list[SrtpSender | None] = [None] * legs
        self.srtcp_index = [0] * legs

    def adopt(self, state: LegState, *, resume: bool) -> None:
        """Take a leg into its slot: from a random start, or from the reserved bound."""
        slot = state.slot
        if not resume:
            self.index[slot] = self.bound[slot] = int.from_bytes(os.urandom(2), "big") >> 1
            self.srtcp_bound[slot] = 0
            self.packets[slot] = self.octets[slot] = 0
        self.index[slot] = self.bound[slot]
        self.srtcp_index[slot] = int(self.srtcp_bound[slot])
        ssrc = int(self.used_ssrc[slot]) if resume else 0
        self.ssrc[slot] = self.ssrcs[slot] = ssrc or state.ssrc
        self.used_ssrc[slot] = self.ssrcs[slot]
        self.epoch[slot] = self.epochs[slot] = state.rtp_epoch & 0xFFFF_FFFF
        self.last_slot[slot] = LONG_AGO
        self.secure[slot] = state.kind == "webrtc"
        self.ready[slot] = self.relayed[slot] = False
        self._go_on(slot)
        self.update(state)

    def _go_on(self, slot: int) -> None:
        """A session that was made ahead, for the stream that is to go on, goes on with it."""
        sender = self.senders[slot]
        if sender is None:
            return
        if sender.ssrc != self.ssrcs[slot]:
            self.release(slot)
            return
        # it was made from a bound, which may lie ahead of what was used since
        self.srtcp_index[slot] = max(self.srtcp_index[slot], sender.srtcp_index)
        self.srtcp_bound[slot] = max(int(self.srtcp_bound[slot]), self.srtcp_index[slot])
        sender.advance(int(self.index[slot]), self.srtcp_index[slot])

    def update(self, state: LegState) -> None:
        """What may change during a leg's life."""
        self.payload_type[state.slot] = self.payload_types[state.slot] = state.payload_type
        self.level_ext[state.slot] = state.mixer_level_ext
        self._stamp(state.slot, state.mix_times_ext)
        keys, slot = state.srtp, state.slot
        if keys is not None and self.senders[slot] is None:
            sender = SrtpSender(
                keys.profile,
                bytes.fromhex(keys.tx),
                self.ssrcs[slot],
                int(self.index[slot]),
                self.srtcp_index[slot],
            )
            self.senders[slot], self.contexts[slot] = sender, sender.context
            self.context[slot] = sender.address

    def _stamp(self, slot: int, ext: int) -> None:
        if self.times_ext[slot] != ext:
            self.times_ext[slot] = ext
            self.stamped = bool(self.times_ext.any())

    def release(self, slot: int) -> None:
        """Forget a leg."""
        self._stamp(slot, 0)
        self.ready[slot] = self.relayed[slot] = False
        self.context[slot] = 0  # before the session goes
        self.senders[slot] = self.contexts[slot] = None

    def route(self, slot: int, path: bytes) -> None:
        """Where the leg's packets go, and from which address of ours."""
        self.paths[slot] = np.frombuffer(path, np.uint8)

    def take_index(self, slot: int) -> int:
        """The next SRTP index of one leg, reserved and used up."""
        index = int(self.index[slot])
        if index + 2 > int(self.bound[slot]):
            self.bound[slot] = index + RESERVE
        self.index[slot] = index + 1
        return index

    def reserve(self, slots: Any) -> None:
        """Move the published bound ahead of the next index before it is used."""
        index = self.index[slots]
        near = index + 2 > self.bound[slots]
        if near.any():
            self.bound[slots[near]] = index[near] + RESERVE

    def protect_report(self, slot: int, report: bytes) -> bytes | None:
        """SRTCP under the next index, reserved first; plain for a leg without SRTP."""
        if not self.secure[slot]:
            return report
        sender = self.senders[slot]
        if sender is None:
            return None
        if self.srtcp_index[slot] + 1 > int(self.srtcp_bound[slot]):
            self.srtcp_bound[slot] = self.srtcp_index[slot] + 1 + RTCP_RESERVE
        self.srtcp_index[slot] += 1
        return sender.protect_rtcp(report)
