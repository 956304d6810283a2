"""Datagrams between the mixers of a pool, on the socket of all media."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from voiceroom_mixer.core.moving import wire
from voiceroom_mixer.core.moving.messages import Message
from voiceroom_mixer.core.moving.wire import WireError
from voiceroom_mixer.core.state.layout import CONTROL_RELAY
from voiceroom_mixer.core.state.seat import Pool
from voiceroom_mixer.edge.mmsg import TX_BYTES, unpack_name, unspecified
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.egress import Egress

_REASONS = {"mixer_auth": "relay_auth"}
"""All others of ``wire.unseal`` are ``relay_malformed``."""
_MAX_PATHS = 1024


def literal(ip: bytes) -> str:
    """16 bytes as the literal that people write."""
    address = ipaddress.IPv6Address(ip)
    return str(address.ipv4_mapped or address)


def shown(path: bytes) -> str:
    """A path as ``IP:PORT``, IPv6 in brackets."""
    ip, port = unpack_name(path)
    text = literal(ip if len(ip) == 16 else bytes(10) + b"\xff\xff" + ip)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


class Post:
    """Closed until control has written the pool's keys into the segment."""

    def __init__(
        self,
        segment: Segment,
        egress: Egress,
        make_name: Callable[[str, int], bytes],
        board: Board,
    ) -> None:
        self._table = segment.tables["control"]
        self._egress, self._make_name, self._board = egress, make_name, board
        self._seen = -1
        self._keys: tuple[bytes, ...] = ()
        self._paths: dict[str, bytes] = {}
        self.pod = b""
        """This media process in datagrams."""
        self.peers: tuple[bytes, ...] = ()
        """Paths to other pods."""

    def look(self) -> None:
        """Take up what control has written."""
        if self._table.high <= CONTROL_RELAY:
            return
        sequence = int(self._table.sequences[CONTROL_RELAY])
        row = self._table.read(CONTROL_RELAY)
        if sequence == self._seen or row is None:
            return
        pool = Pool.from_bytes(row)
        self._seen, self.pod = sequence, bytes.fromhex(pool.pod)
        self._keys = tuple(map(bytes.fromhex, pool.keys))
        self.peers = tuple(map(self.path, pool.peers))

    def client(self, ip: bytes, port: int) -> bytes:
        """Path to a client; ``ip`` has 16 bytes, IPv4 is mapped. Empty: our socket has no way."""
        return self._towards(literal(ip), port)

    def _towards(self, host: str, port: int) -> bytes:
        try:
            name = self._make_name(host, port)
        except ValueError:
            return b""  # IPv6, and an IPv4 socket
        return name + unspecified(name)

    def path(self, address: str) -> bytes:
        """To ``IP:PORT``; empty: our socket has no way."""
        path = self._paths.get(address)
        if path is None:
            if len(self._paths) >= _MAX_PATHS:
                self._paths.clear()
            host, _, port = address.rpartition(":")
            path = self._paths[address] = self._towards(host.strip("[]"), int(port))
        return path

    def seal(self, message: Message) -> bytes:
        """As a datagram; the post must be open."""
        return wire.seal(self._keys[0], message)

    def send(self, path: bytes, message: Message) -> None:
        """On its way with the next flush; nothing while the post is closed."""
        if self._keys:
            self.deliver(path, self.seal(message))

    def send_all(self, paths: Iterable[bytes], message: Message) -> None:
        """The same word to several: sealed once."""
        if self._keys:
            datagram = self.seal(message)
            for path in paths:
                self.deliver(path, datagram)

    def deliver(self, path: bytes, datagram: bytes) -> None:
        """One that is sealed, or for a client; what fits no row or has no way is counted."""
        if not path or len(datagram) > TX_BYTES:
            self._board.drop("relay_unknown" if not path else "rtp_too_large")
            return
        self._egress.datagram(path, datagram)

    def open(self, datagram: bytes) -> Message | None:
        """What a datagram says; None, counted, when it is none of the pool's."""
        if not self._keys:
            self._board.drop("relay")
            return None
        try:
            return wire.unseal(self._keys, datagram)
        except WireError as error:
            self._board.drop(_REASONS.get(str(error), "relay_malformed"))
            return None
