"""Datagrams of clients that stand at another pod than the one that mixes: one hop, both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from voiceroom_mixer.core.mix.result import MixOutput
from voiceroom_mixer.core.moving.messages import RelayDown, RelayUp
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.mmsg import (
    NAME_BYTES,
    TX_BYTES,
    V4_MAPPED,
    unpack_name,
)
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.egress import Egress
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.ingress import Ingress
from voiceroom_mixer.media.legs import Leg, LegTable, Via, leg_key
from voiceroom_mixer.media.moving.post import Post
from voiceroom_mixer.media.transmit import Transmit

_MIN_RTP: Final = 8
_ROOM: Final = 2
"""Rows of the slab that one packet may take: along both ways."""


class Relay:
    """Up: from a client that came here to the pod that mixes. Down: the way back."""

    def __init__(
        self, post: Post, house: House, legs: LegTable, egress: Egress, board: Board
    ) -> None:
        self._post, self._house, self._legs = post, house, legs
        self._egress, self._board = egress, board
        self.ingress: Ingress
        self.on_dtls: Callable[[Leg, bytes, bytes], None]

    def up(self, leg: Leg, target: bytes, path: bytes, datagram: bytes) -> None:
        """To the pod at ``target``."""
        ip, port = unpack_name(path)
        if len(ip) == 4:
            ip = V4_MAPPED + ip
        self._post.send(target, RelayUp(leg_key(leg.state.leg), ip, port, datagram))
        self._board.add("relayed_up")

    def came_up(self, message: RelayUp, pod: bytes, row: int, arrival_ns: int) -> None:
        """A client's datagram by way of ``pod``; ``row`` of the slab is free for it."""
        leg = self._legs.by_id.get(message.leg)
        if leg is None:
            self._board.drop("relay_unknown")
            self._post.send(pod, RelayDown(message.leg, message.ip, message.port, b""))
        elif not leg.live or not message.payload:
            self._board.drop("relay_unknown")  # one hop only
        else:
            self._take(leg, message, pod, row, arrival_ns)

    def _take(self, leg: Leg, message: RelayUp, pod: bytes, row: int, arrival_ns: int) -> None:
        payload, first = message.payload, message.payload[0]
        if first < 4:
            nominated = self.ingress.relayed_check(leg, payload)
            if nominated:
                self._house.reach(leg, Via(pod, message.ip, message.port, alone=True))
        elif 20 <= first < 64:
            path = self._post.client(message.ip, message.port)
            if leg.secure and path:
                self.on_dtls(leg, path, payload)
        elif 128 <= first < 192 and len(payload) >= _MIN_RTP:
            self.ingress.relayed(leg, row, payload, arrival_ns)
            if leg.secure and not leg.selected and leg.via is None:
                self._house.reach(leg, Via(pod, message.ip, message.port, alone=True))

    def shown(self, leg: Leg, message: RelayUp, row: int, arrival_ns: int) -> None:
        """Media of a leg that is about to be ours."""
        payload = message.payload
        if len(payload) >= _MIN_RTP and 128 <= payload[0] < 192:
            self.ingress.relayed(leg, row, payload, arrival_ns)

    def came_down(self, message: RelayDown) -> None:
        """For a client that stands here; without a payload: the leg is over."""
        leg = self._legs.by_id.get(message.leg)
        if leg is None or leg.live:
            self._board.drop("relay_unknown")
        elif message.payload:
            self._post.deliver(self._path(leg, message), message.payload)
            self._board.add("relayed_down")
        elif self._house.was_ours(leg):
            self._house.end(leg, layout.END_REMOVED)

    def _path(self, leg: Leg, message: RelayDown) -> bytes:
        """From the address of ours that the client knows, where we know which that is."""
        path = self._post.client(message.ip, message.port)
        same = leg.selected[:NAME_BYTES] == path[:NAME_BYTES]
        return leg.selected if same else path

    def report(self, leg: Leg, sealed: bytes) -> None:
        """An RTCP packet on every way to the leg."""
        via = leg.via
        if via is not None:
            self._post.send(via.pod, _down(leg, via, sealed))
        if leg.selected and (via is None or not via.alone):
            self._egress.datagram(leg.selected, sealed)


def _down(leg: Leg, via: Via, packet: bytes) -> RelayDown:
    return RelayDown(leg_key(leg.state.leg), via.ip, via.port, packet)


class RelayEgress(Egress):
    """As ``Egress`` for those legs that hear through another pod, too or alone. While it is not
    known on which way a client listens, one and the same protected packet goes both."""

    def __init__(
        self,
        straight: Egress,
        transmit: Transmit,
        rx_ssrc: Any,
        board: Board,
        legs: LegTable,
        post: Post,
    ) -> None:
        super().__init__(straight.sender, transmit, rx_ssrc, board)
        self._straight, self._legs, self._post = straight, legs, post
        self._ready = transmit.relayed

    def wanted(self, output: MixOutput) -> bool:
        """Whether any of a mix's listeners is such a leg."""
        return bool(self._ready[output.slots].any())

    def flush(self) -> int:
        """With all that goes straight."""
        return self._straight.flush()

    def _queue(self, slots: Any, packet: bytes, grid_slot: int, marker: bool) -> None:
        for slot in slots.tolist():
            if self.sender.room < _ROOM:
                self.flush()
            row = self.sender.used
            self._fill_one(slot, packet, grid_slot, marker)
            leg = self._legs.by_slot[slot]
            if leg.via is not None:
                self._wrap(leg, leg.via, row)

    def _wrap(self, leg: Leg, via: Via, row: int) -> None:
        """The row as it is goes through the other pod; and stays where it may be heard as well."""
        length = int(self.sender.lengths[row])
        packet = bytes(self.sender.buffer[row * TX_BYTES : row * TX_BYTES + length])
        if packet[0] >= 192:
            return  # it was voided
        if via.alone or not leg.selected:
            self.sender.used = row
        self._post.send(via.pod, _down(leg, via, packet))
