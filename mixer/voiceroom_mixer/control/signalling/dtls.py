"""DTLS of one leg on the event loop: the handshake in its turn, then only the end of it.

No RTP comes here: media hands over the DTLS datagrams of authenticated addresses only, and gets
the exported keys.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from voiceroom_mixer.control.signalling.association import Association, DtlsError
from voiceroom_mixer.control.signalling.certificate import Certificate
from voiceroom_mixer.control.signalling.pacing import HandshakePacer, RowFull
from voiceroom_mixer.control.signalling.records import Remainder
from voiceroom_mixer.core.state.legstate import SrtpKeys
from voiceroom_mixer.core.state.messages import Address

QUEUE: Final = 64
"""Datagrams that wait for OpenSSL; more are dropped, DTLS sends them again."""
HANDSHAKE_S: Final = 15.0
_log = logging.getLogger(__name__)

SendTo = Callable[[Address, bytes], bool]


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What becomes of a handshake; at most one end, and none after ``close``."""

    on_keys: Callable[[SrtpKeys], None]
    on_end: Callable[[str], None]
    """``dtls_failed``, ``dtls_timeout``, ``dtls_busy``, or ``dtls_closed`` by the peer."""


class DtlsSession:
    """One association. It begins with the first sign of the peer and lives until ``close``."""

    __slots__ = (
        "_address",
        "_begun",
        "_callbacks",
        "_certificate",
        "_closed",
        "_fingerprints",
        "_pacer",
        "_queue",
        "_remainder",
        "_send_to",
        "_server",
        "_task",
    )

    def __init__(
        self,
        certificate: Certificate,
        fingerprints: tuple[tuple[str, str], ...],
        send: SendTo,
        pacer: HandshakePacer,
        callbacks: Callbacks,
        *,
        server: bool,
    ) -> None:
        self._certificate = certificate
        self._fingerprints = fingerprints
        self._send_to = send
        self._pacer = pacer
        self._callbacks = callbacks
        self._server = server
        self._address: Address | None = None
        self._queue: asyncio.Queue[bytes] | None = None
        self._task: asyncio.Task[None] | None = None
        self._remainder: Remainder | None = None
        self._begun = self._closed = False

    def feed(self, source: Address, datagram: bytes) -> None:
        """A DTLS datagram from an address that ICE has authenticated; answers go back there."""
        if self._closed:
            return
        self._begin()
        if self._remainder is not None:
            self._address = source
            self._after(self._remainder, datagram)
        elif self._queue is None or self._queue.full():
            self._pacer.overflowed += 1
        else:
            self._address = source
            self._queue.put_nowait(datagram)

    def nominate(self, address: Address) -> None:
        """ICE has chosen an address; a DTLS client may speak now."""
        self._address = address
        if not self._server:
            self._begin()

    def _begin(self) -> None:
        if not self._begun and not self._closed:
            self._begun = True
            self._queue = asyncio.Queue(QUEUE)
            self._task = asyncio.create_task(self._run(self._queue), name="dtls")

    async def _run(self, queue: asyncio.Queue[bytes]) -> None:
        """The handshake in its turn, and what became of it."""
        began_ns = self._pacer.now_ns()
        try:
            async with self._pacer.turn(), asyncio.timeout(HANDSHAKE_S):
                await self._handshake(queue)
        except TimeoutError:
            self._end("dtls_timeout")
        except RowFull:
            self._end("dtls_busy")
        except DtlsError as error:
            _log.info("no DTLS association", extra={"why": str(error)})
            self._end("dtls_failed")
        except Exception:
            _log.exception("a DTLS handshake failed in an unknown way")
            self._end("dtls_failed")
        else:
            self._pacer.took_ns.append(self._pacer.now_ns() - began_ns)
        finally:
            self._task = self._queue = None

    async def _handshake(self, queue: asyncio.Queue[bytes]) -> None:
        # Made here and not before: OpenSSL's memory is for those who have proved where they are.
        association = Association(
            self._certificate.context, self._fingerprints, server=self._server
        )
        try:
            while not self._advance(association):
                await _next(association, queue)
            keys, remainder = association.keys(), association.finish()
        finally:
            association.drop()
        self._remainder = remainder
        self._callbacks.on_keys(keys)
        while not queue.empty() and not self._closed:
            self._after(remainder, queue.get_nowait())

    def _advance(self, association: Association) -> bool:
        try:
            return association.advance()
        finally:
            self._send(association.outgoing())

    def _send(self, datagrams: Iterable[bytes]) -> None:
        if self._address is not None:
            for datagram in datagrams:
                self._send_to(self._address, datagram)

    def _after(self, remainder: Remainder, datagram: bytes) -> None:
        was_closed = remainder.closed
        self._send(remainder.receive(datagram))
        if remainder.closed and not was_closed:
            self._end("dtls_closed")

    def _end(self, reason: str) -> None:
        if not self._closed:
            self._callbacks.on_end(reason)

    def tasks(self) -> int:
        """asyncio tasks now: the handshake; an association afterwards needs none."""
        return int(self._task is not None and not self._task.done() and not self._closed)

    def drop(self) -> None:
        """Let go without a word: the association's keys live on at another pod."""
        self._remainder = None
        self.close()

    def close(self) -> None:
        """Say close_notify where there is an association, and let go of everything."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        if self._remainder is not None:
            self._send((self._remainder.goodbye(),))
            self._remainder = None


async def _next(association: Association, queue: asyncio.Queue[bytes]) -> None:
    """Wait for the peer's next datagram, or for the time to repeat our flight."""
    try:
        async with asyncio.timeout(association.timeout_s()):
            association.receive(await queue.get())
    except TimeoutError:
        association.expire()
