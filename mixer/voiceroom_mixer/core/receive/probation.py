"""Another SSRC than the one that plays is believed after three packets in order (contract §4)."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import SEQ_MASK
from voiceroom_mixer.core.receive.model import Arrived
from voiceroom_mixer.core.receive.stream import NO_SSRC

IN_ORDER: Final = 3
"""Packets in order after which another SSRC is believed."""


class Probation:
    """The newest SSRC that is not believed yet; at most ``IN_ORDER`` packets of it."""

    def __init__(self) -> None:
        self._ssrc = NO_SSRC
        self._packets: list[Arrived] = []

    def add(self, ssrc: int, packet: Arrived, needed: int) -> list[Arrived]:
        """The packets of ``ssrc`` once ``needed`` came in order, which ends its probation."""
        packets = self._packets
        if ssrc != self._ssrc or packet.seq != (packets[-1].seq + 1) & SEQ_MASK:
            packets.clear()
        self._ssrc = ssrc
        packets.append(packet)
        if len(packets) < needed:
            return []
        self.end()
        return packets

    def end(self) -> None:
        """Nobody is on probation."""
        self._ssrc, self._packets = NO_SSRC, []
