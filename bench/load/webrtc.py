"""WebRTC legs without a browser: WHIP, ICE and DTLS here, media in the C generator."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from aioice import stun

from bench.errors import BenchError
from bench.load import dtls, sdp
from bench.load.crowd import Seat, seated
from bench.load.generator import LegPlan, Secure

PARALLEL: Final = 8
_PRIORITY: Final = 0x6E7F_00FF
_CHECK_EVERY_S: Final = 0.05
_CHECKS: Final = 200


class WhipServer(Protocol):
    """A server with WHIP that answers sendrecv."""

    def whip(self, room: str, offer: str) -> str:
        """The SDP answer."""


def binding_request(ours: sdp.Ours, theirs: sdp.Theirs) -> bytes:
    """A check that nominates (RFC 8445 section 7.1), the consent check as well (RFC 7675)."""
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        transaction_id=secrets.token_bytes(12),
    )
    message.attributes["USERNAME"] = f"{theirs.ufrag}:{ours.ufrag}"
    message.attributes["PRIORITY"] = _PRIORITY
    message.attributes["ICE-CONTROLLING"] = secrets.randbits(64)
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(theirs.pwd.encode())
    return bytes(message)


def connect_ice(sock: socket.socket, request: bytes) -> None:
    """Check until the server answers. Raises ``BenchError`` after ten seconds."""
    sock.settimeout(_CHECK_EVERY_S)
    for _ in range(_CHECKS):
        sock.send(request)
        try:
            answer = sock.recv(2048)
        except TimeoutError:
            continue
        if len(answer) >= 20 and answer[:2] == b"\x01\x01" and answer[8:20] == request[8:20]:
            return
    raise BenchError("no ICE check was answered within ten seconds")


def join(
    server: WhipServer, identity: dtls.Identity, seat: Seat, index: int, sock: socket.socket
) -> LegPlan:
    """One leg, ready for media."""
    ours = sdp.Ours(secrets.token_hex(4), secrets.token_hex(12), identity.fingerprint)
    theirs = sdp.read_answer(server.whip(seat.room, sdp.offer(ours, index)))
    sock.connect((theirs.ip, theirs.port))
    request = binding_request(ours, theirs)
    connect_ice(sock, request)
    keys = dtls.handshake(identity, sock, theirs.fingerprint)
    secure = Secure(keys.profile, keys.tx, keys.rx, request)
    leg = LegPlan(sock, theirs.payload_type, 0, None, level_ext=theirs.level_ext, secure=secure)
    return seated(seat, index, leg)


def join_all(
    server: WhipServer, seats: Sequence[Seat], socks: Sequence[socket.socket], first: int = 0
) -> list[LegPlan]:
    """A few at a time; ``first`` is the index of the first seat in the whole crowd."""
    identity = dtls.Identity()
    with ThreadPoolExecutor(PARALLEL) as pool:
        jobs = [
            pool.submit(join, server, identity, seat, first + i, sock)
            for i, (seat, sock) in enumerate(zip(seats, socks, strict=True))
        ]
        return [job.result() for job in jobs]
