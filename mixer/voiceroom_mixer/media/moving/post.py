"""Datagrams between the mixers of a pool, on the socket of all media."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from voiceroom_mixer.core.moving import wire
from voiceroom_mixer.core.moving.messages import Message
from voiceroom_mixer.core.moving.wire import WireError
from voiceroom_mixer.core.state.layout import CONTROL_RELAY
from voiceroom_mixer.core.state.seat import Pool
from voiceroom_mixer.edge.mmsg import unspecified
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

    def name(self, ip: bytes, port: int) -> bytes:
        """struct sockaddr of a client; ``ip`` has 16 bytes, IPv4 is mapped."""
        return self._make_name(literal(ip), port)

    def path(self, address: str) -> bytes:
        """To ``IP:PORT``."""
        path = self._paths.get(address)
        if path is None:
            if len(self._paths) >= _MAX_PATHS:
                self._paths.clear()
            host, _, port = address.rpartition(":")
            name = self._make_name(host.strip("[]"), int(port))
            path = self._paths[address] = name + unspecified(name)
        return path

    def seal(self, message: Message) -> bytes:
        """As a datagram; the post must be open."""
        return wire.seal(self._keys[0], message)

    def send(self, path: bytes, message: Message) -> None:
        """On its way with the next flush; nothing while the post is closed."""
        if self._keys:
            self._egress.datagram(path, self.seal(message))

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
