"""The socket's error queue: which peers said "port unreachable" (ip(7), IP_RECVERR)."""

from __future__ import annotations

import socket
from typing import Final

from voiceroom_mixer.edge.mmsg import pack_name

_MSG_ERRQUEUE: Final = 0x2000
_MSG_DONTWAIT: Final = 0x40
_CONTROL_BYTES: Final = 256
MAX_ERRORS: Final = 64
"""Taken in one go; the kernel bounds what waits."""


def refused(sock: socket.socket) -> list[bytes]:
    """struct sockaddr (as ``mmsg.pack_name`` makes it) of each datagram that was refused."""
    found: list[bytes] = []
    for _ in range(MAX_ERRORS):
        try:
            _, _, _, address = sock.recvmsg(0, _CONTROL_BYTES, _MSG_ERRQUEUE | _MSG_DONTWAIT)
        except OSError:
            return found
        if address:
            host, port = address[0].partition("%")[0], int(address[1])
            found.append(pack_name(sock.family, socket.inet_pton(sock.family, host), port))
    return found
