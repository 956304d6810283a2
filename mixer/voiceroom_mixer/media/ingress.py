"""Into the mixer: every datagram finds its leg or a counter (RFC 7983)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Protocol

from voiceroom_mixer.core.ice import stun
from voiceroom_mixer.core.ice.stun import BindingRequest, StunError
from voiceroom_mixer.edge import srtp
from voiceroom_mixer.edge.mmsg import RX_BATCH, RX_BYTES, Receiver, RtpHead, unpack_name
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.legs import Leg, LegTable
from voiceroom_mixer.media.source import RtpSource

MAX_BATCHES: Final = 4
"""Batches of one drain: a flood waits in the kernel's bounded queue, the tick does not. A thousand
hostile datagrams take 8 ms; an honest crowd of 500 sends 250 between two drains."""
_HEAD: Final = struct.Struct("!BBHII")
_PACKETS: Final = Board.INDEX["rx_packets"]
_BYTES: Final = Board.INDEX["rx_bytes"]
_STUN: Final = Board.INDEX["stun_requests"]
_SUCCESS: Final = stun.BINDING_SUCCESS.to_bytes(2, "big")


class Fellows(Protocol):
    """The other mixers of the pool, as far as datagrams go."""

    def datagram(self, path: bytes, row: int, datagram: bytes) -> None:
        """One with a first byte of 192..255, in ``row`` of the slab."""

    def stray(self, leg: Leg, path: bytes, datagram: bytes) -> None:
        """One of a client whose leg is live elsewhere."""

    def mirror(self, leg: Leg, path: bytes, datagram: bytes) -> None:
        """One of a live leg that asks for it (``mirrored``), before it is unprotected."""

    def answers(self, leg: Leg, path: bytes, request: BindingRequest, now_ns: int) -> bool:
        """Whether an authentic check is answered now, and learnt from."""


class Alone:
    """There are none."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def datagram(self, path: bytes, row: int, datagram: bytes) -> None:
        """It is nobody's."""
        self._board.drop("relay")

    def stray(self, leg: Leg, path: bytes, datagram: bytes) -> None:
        """There is no elsewhere."""
        self._board.drop("relay_unknown")

    def mirror(self, leg: Leg, path: bytes, datagram: bytes) -> None:
        """There is nobody to show it to."""

    def answers(self, leg: Leg, path: bytes, request: BindingRequest, now_ns: int) -> bool:
        """Always."""
        return True


class Ingress:
    """Demultiplexes one socket. What is not for the audio path leaves through the callbacks."""

    def __init__(
        self,
        receiver: Receiver,
        legs: LegTable,
        board: Board,
        *,
        reply: Callable[[bytes, bytes], None],
        on_dtls: Callable[[Leg, bytes, bytes], None],
        on_checked: Callable[[Leg, bytes, bool], None],
        on_fault: Callable[[Leg], None],
        source: RtpSource,
    ) -> None:
        self._receiver = receiver
        self._legs = legs
        self._board = board
        self._reply = reply
        self._on_dtls = on_dtls
        self._on_checked = on_checked
        self._on_fault = on_fault
        self._source = source
        self._pointers = srtp.RowPointers(receiver.address, RX_BATCH, RX_BYTES)
        source.pointers = self._pointers
        self._now_ns = 0
        self._arrival_ns = 0
        """Of the datagram that is looked at."""
        self.fellows: Fellows = Alone(board)
        self.answered: Callable[[bytes, bytes, int], bool] = lambda path, datagram, arrival_ns: (
            False
        )
        """Takes the answer to a check of ours; False: there was none."""

    def drain(self, now_ns: int, offset_ns: int, since_ns: int, raw_ns: int) -> int:
        """Take in all that waits. ``offset_ns`` turns kernel stamps into CLOCK_MONOTONIC_RAW,
        ``since_ns`` and ``raw_ns`` are the last and this drain on it, ``now_ns`` is monotonic."""
        self._now_ns = self._source.now_ns = now_ns
        total = 0
        for _ in range(MAX_BATCHES):
            count = self._receiver.drain()
            if count:
                self._batch(count, self._receiver.arrivals(offset_ns, since_ns, raw_ns))
            total += count
            if count < RX_BATCH:
                break
        return total

    def _batch(self, count: int, arrivals: list[int]) -> None:
        receiver = self._receiver
        lengths = receiver.lengths()
        self._pointers.lengths[:count] = lengths
        values = self._board.values
        values[_PACKETS] += count
        values[_BYTES] += sum(lengths)
        found = map(self._legs.by_key.get, receiver.keys())
        for row, (leg, head) in enumerate(zip(found, receiver.heads(), strict=True)):
            length = lengths[row]
            if length > 0 and 128 <= head[0] < 192:
                if leg is None:
                    leg = self._latch(row, length)
                    if leg is None:
                        continue
                self._from_leg(leg, row, length, head, arrivals[row])
            else:
                self._arrival_ns = arrivals[row]
                self._other(row, length, head[0])
        overflowed = receiver.overflowed()
        if overflowed:
            self._board.add("drop_socket_overflow", overflowed)

    def _from_leg(self, leg: Leg, row: int, length: int, head: RtpHead, arrival_ns: int) -> None:
        """RTP or RTCP of a leg."""
        if not leg.live:
            return self._stray(leg, row, length)
        if leg.mirrored:
            self.fellows.mirror(leg, self._receiver.path(row), self._bytes(row, length))
        if not leg.stream.heard:
            self._first(leg, row)
        return self._packet(leg, row, length, head, arrival_ns)

    def _packet(self, leg: Leg, row: int, length: int, head: RtpHead, arrival_ns: int) -> None:
        try:
            self._source.packet(leg, row, length, head, arrival_ns)
        except Exception:
            # A broken invariant of ours ends this leg and nobody else's call: a process
            # that died of it would die again of the leg's next packet.
            self._on_fault(leg)

    def _stray(self, leg: Leg, row: int, length: int) -> None:
        self.fellows.stray(leg, self._receiver.path(row), self._bytes(row, length))

    def _bytes(self, row: int, length: int) -> bytes:
        at = row * RX_BYTES
        return bytes(self._receiver.buffer[at : at + length])

    @property
    def arrival_ns(self) -> int:
        """Of the datagram that is looked at, where that is none of a leg."""
        return self._arrival_ns

    def relayed(self, leg: Leg, row: int, payload: bytes, arrival_ns: int) -> None:
        """RTP or RTCP of a live leg that another pod has passed on, to be put into ``row`` of the
        slab."""
        at, length = row * RX_BYTES, len(payload)
        self._receiver.buffer[at : at + length] = payload
        self._pointers.lengths[row] = length
        head = _HEAD.unpack_from(self._receiver.buffer, at)
        self._packet(leg, row, length, head, arrival_ns)
        leg.stream.awake = leg.receiver.active

    def relayed_check(self, leg: Leg, datagram: bytes) -> bool | None:
        """A STUN request that another pod has passed on, and answered: whether it nominates; None
        when it is not authentic."""
        try:
            request = stun.parse_request(datagram)
        except StunError:
            return None
        found = self._legs.by_ufrag(request.local_ufrag)
        if found is None or found[0] is not leg or not stun.verify(request, found[1].pwd):
            return None
        leg.last_check_ns = self._now_ns
        return request.use_candidate

    def _first(self, leg: Leg, row: int) -> None:
        """A plain RTP leg's first packet tells which address of ours its gateway knows."""
        if leg.state.kind == "rtp":
            self._on_checked(leg, self._receiver.path(row), True)

    def _other(self, row: int, length: int, first: int) -> None:
        """All but RTP and RTCP."""
        if length <= 0:
            self._board.drop("rtp_too_large" if length < 0 else "empty")
            return
        datagram = self._bytes(row, length)
        if first < 4:
            self._stun(self._receiver.path(row), datagram)
        elif 20 <= first < 64:
            path = self._receiver.path(row)
            leg = self._legs.find(path)
            if leg is None or not leg.secure:
                self._board.drop("unknown_source")
            elif leg.live:
                self._on_dtls(leg, path, datagram)
            else:
                self.fellows.stray(leg, path, datagram)
        elif first >= 192:
            self.fellows.datagram(self._receiver.path(row), row, datagram)
        else:
            self._board.drop("unknown_source")

    def _stun(self, path: bytes, datagram: bytes) -> None:
        """ICE-lite: answer authenticated binding requests, drop all else (RFC 8445 §7.3)."""
        if datagram[:2] == _SUCCESS:
            if not self.answered(path, datagram, self._arrival_ns):
                self._board.drop("not_stun")
            return
        try:
            request = stun.parse_request(datagram)
        except StunError:
            self._board.drop("not_stun")
            return
        found = self._legs.by_ufrag(request.local_ufrag)
        if found is None:
            self._board.drop("stun_unknown_user")
            return
        leg, credentials = found
        if not stun.verify(request, credentials.pwd):
            self._board.drop("stun_integrity")
            return
        self._board.values[_STUN] += 1
        if not self.fellows.answers(leg, path, request, self._now_ns):
            return
        if request.unknown:
            self._board.add("stun_errors")
            answer = stun.unknown_attributes(request.transaction, request.unknown, credentials.pwd)
        else:
            ip, port = unpack_name(path)
            answer = stun.success(request.transaction, ip, port, credentials.pwd)
            leg.last_check_ns = self._now_ns
            self._on_checked(leg, path, request.use_candidate)
        self._reply(path, answer)

    def _latch(self, row: int, length: int) -> Leg | None:
        """RTP from an unknown port: a leg that waits takes it for its own, if it has that leg's IP
        address and payload type (``Waiting.claim``)."""
        leg = None
        if self._legs.waiting and length >= _HEAD.size:
            path = self._receiver.path(row)
            _, second, _, _, ssrc = _HEAD.unpack_from(self._receiver.buffer, row * RX_BYTES)
            leg = self._legs.waiting.claim(*unpack_name(path), second & 0x7F, ssrc)
        if leg is None:
            self._board.drop("unknown_source")
        else:
            self._on_checked(leg, path, True)
        return leg
