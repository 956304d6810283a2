"""DTLS of one leg: aiortc's ``RTCDtlsTransport`` on a transport of ours, up to the SRTP keys.

aiortc never sees RTP: media hands over the DTLS datagrams of authenticated addresses only, and
gets the exported keys. A contract test guards the few private names that this rests on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, cast

from aiortc import RTCDtlsParameters, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint

from voiceroom_mixer.control.signalling.certificate import Certificate
from voiceroom_mixer.control.signalling.pacing import HandshakePacer, RowFull
from voiceroom_mixer.core.state.legstate import SrtpKeys
from voiceroom_mixer.core.state.messages import Address

QUEUE: Final = 64
"""Datagrams that wait for OpenSSL; more are dropped, DTLS sends them again."""
HANDSHAKE_S: Final = 15.0
_EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
_log = logging.getLogger(__name__)

Role = Literal["controlling", "controlled"]
SendTo = Callable[[Address, bytes], bool]


class LegTransport:
    """What ``RTCDtlsTransport`` needs of an ICE transport: ``role``, ``_recv``, ``_send``."""

    def __init__(self, send: SendTo, *, server: bool) -> None:
        self.role: Role = "controlling" if server else "controlled"
        """aiortc makes the controlling side the DTLS server."""
        self.dropped = 0
        self._send_to = send
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        self._address: Address | None = None
        self._closed = False

    async def _recv(self) -> bytes:
        datagram = await self._queue.get() if not self._closed else None
        if datagram is None:
            raise ConnectionError("the leg is gone")
        return datagram

    async def _send(self, datagram: bytes) -> None:
        if self._address is not None:
            self._send_to(self._address, datagram)

    def nominate(self, address: Address) -> None:
        """Answer there from now on."""
        self._address = address

    def feed(self, source: Address, datagram: bytes) -> None:
        """A datagram from an address that ICE has authenticated; answers go back there."""
        if self._closed or self._queue.full():
            self.dropped += 1
            return
        self._address = source
        self._queue.put_nowait(datagram)

    def close(self) -> None:
        """End a waiting and every later ``_recv``."""
        self._closed = True
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What becomes of a handshake; at most one end, and none after ``close``."""

    on_keys: Callable[[SrtpKeys], None]
    on_end: Callable[[str], None]
    """``dtls_failed``, ``dtls_timeout``, ``dtls_busy``, or ``dtls_closed`` by the peer."""


class DtlsSession:
    """One association. It begins with the first sign of the peer and lives until ``close``."""

    def __init__(
        self,
        certificate: Certificate,
        fingerprints: tuple[tuple[str, str], ...],
        transport: LegTransport,
        pacer: HandshakePacer,
        callbacks: Callbacks,
    ) -> None:
        self._transport = transport
        self._pacer = pacer
        self._callbacks = callbacks
        self._peer = RTCDtlsParameters([RTCDtlsFingerprint(n, v) for n, v in fingerprints])
        self._certificate = certificate
        self._dtls: RTCDtlsTransport | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def feed(self, source: Address, datagram: bytes) -> None:
        """A DTLS datagram of the leg."""
        self._transport.feed(source, datagram)
        self._begin()

    def nominate(self, address: Address) -> None:
        """ICE has chosen an address; a DTLS client may speak now."""
        self._transport.nominate(address)
        if self._transport.role == "controlled":
            self._begin()

    def _begin(self) -> None:
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._run(), name="dtls")

    async def _run(self) -> None:
        """Handshake, keys, and then wait for the peer's close_notify."""
        began_ns = self._pacer.now_ns()
        try:
            async with self._pacer.turn(), asyncio.timeout(HANDSHAKE_S):
                connected = await self._handshake()
        except TimeoutError:
            self._end("dtls_timeout")
            return
        except RowFull:
            self._end("dtls_busy")
            return
        except Exception:
            _log.exception("a DTLS handshake failed in an unknown way")
            connected = False
        if connected:
            self._pacer.took_ns.append(self._pacer.now_ns() - began_ns)
        else:
            self._end("dtls_failed")

    async def _handshake(self) -> bool:
        # Made here and not before: OpenSSL's memory is for those who have proved where they are.
        duck = cast(RTCIceTransport, self._transport)
        dtls = RTCDtlsTransport(duck, [self._certificate])
        self._dtls = dtls
        await dtls.start(self._peer)
        if dtls.state != "connected":
            return False
        self._callbacks.on_keys(exported_keys(dtls))
        dtls._rx_srtp = dtls._tx_srtp = None  # type: ignore[assignment]  # media has its own
        dtls.on("statechange", self._changed)
        return True

    def _changed(self) -> None:
        if self._dtls is not None and self._dtls.state in ("closed", "failed"):
            self._end("dtls_closed")

    def _end(self, reason: str) -> None:
        if not self._closed:
            self._callbacks.on_end(reason)

    def tasks(self) -> int:
        """asyncio tasks now: the handshake, or afterwards aiortc's reader."""
        handshaking = self._task is not None and not self._task.done()
        reading = self._dtls is not None and self._dtls.state == "connected"
        return int(handshaking or reading) if not self._closed else 0

    def close(self) -> None:
        """Say close_notify where there is an association, and let go of everything."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        if self._dtls is not None:
            self._dtls.remove_all_listeners()
            _say_goodbye(self._dtls)
        self._transport.close()


def _say_goodbye(dtls: RTCDtlsTransport) -> None:
    """close_notify now, without a task: our ``_send`` never waits, so neither does ``stop``."""
    goodbye = dtls.stop()
    try:
        goodbye.send(None)
    except StopIteration:
        return
    goodbye.close()
    raise RuntimeError("RTCDtlsTransport.stop has waited for something")


def exported_keys(dtls: RTCDtlsTransport) -> SrtpKeys:
    """The SRTP keys of a connected association (RFC 5764 §4.2): ``rx`` is what the peer writes
    with, which is the client's key and salt where we are the server."""
    assert dtls._ssl is not None, "keys come after the handshake"
    name = dtls._ssl.get_selected_srtp_profile()
    profile = next(p for p in dtls._srtp_profiles if p.openssl_profile == name)
    size = 2 * (profile.key_length + profile.salt_length)
    material = dtls._ssl.export_keying_material(_EXPORTER, size)
    client, server = (profile.get_key_and_salt(material, i).hex() for i in (0, 1))
    rx, tx = (client, server) if dtls._role == "server" else (server, client)
    return SrtpKeys(profile.libsrtp_profile, rx=rx, tx=tx)
