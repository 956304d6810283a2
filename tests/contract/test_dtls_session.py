"""A leg's DTLS session on the event loop; its peers are aiortc and the ``openssl`` program."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint

from voiceroom_mixer.control.signalling.certificate import Certificate
from voiceroom_mixer.control.signalling.dtls import QUEUE, Callbacks, DtlsSession
from voiceroom_mixer.control.signalling.pacing import HandshakePacer
from voiceroom_mixer.core.state.legstate import SrtpKeys
from voiceroom_mixer.core.state.messages import Address

OURS = Certificate.generate(wall_ns=1_700_000_000 * 10**9)
THEIRS = RTCCertificate.generateCertificate()
THEIR_PRINTS = tuple((f.algorithm, f.value) for f in THEIRS.getFingerprints())
PEER = Address(b"\x7f\0\0\1", 1)
SUITE = "ECDHE-ECDSA-(AES128-GCM-SHA256|CHACHA20-POLY1305)"


class Ends:
    """A session of ours and aiortc at its other end, as whose ICE transport this serves."""

    def __init__(self, *, server: bool, prints: tuple[tuple[str, str], ...] = THEIR_PRINTS) -> None:
        self.keys: asyncio.Future[SrtpKeys] = asyncio.Future()
        self.ended: asyncio.Future[str] = asyncio.Future()
        self.role = "controlled" if server else "controlling"
        self.pacer = HandshakePacer(lambda: 0, _no_wait)
        self.to_them: asyncio.Queue[bytes] = asyncio.Queue()
        self.to_lose = 0
        self.session = DtlsSession(
            OURS,
            prints,
            self._to_them,
            self.pacer,
            Callbacks(self.keys.set_result, self.ended.set_result),
            server=server,
        )
        self.theirs = RTCDtlsTransport(self, [THEIRS])  # type: ignore[arg-type]  # three members

    def _to_them(self, _address: Address, datagram: bytes) -> bool:
        if self.to_lose:
            self.to_lose -= 1
        else:
            self.to_them.put_nowait(datagram)
        return True

    async def _recv(self) -> bytes:
        return await self.to_them.get()

    async def _send(self, datagram: bytes) -> None:
        self.session.feed(PEER, datagram)

    async def connect(self) -> SrtpKeys:
        prints = [RTCDtlsFingerprint(name, value) for name, value in OURS.fingerprints()]
        self.session.nominate(PEER)
        await self.theirs.start(RTCDtlsParameters(prints))
        return await self.keys


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()
        assert not [t for t in asyncio.all_tasks() if t.get_name() == "dtls"], "one is left behind"

    asyncio.run(bounded())


@pytest.mark.parametrize("server", [True, False])
def test_aiortc_connects_and_hears_our_goodbye(server: bool) -> None:
    async def scenario() -> None:
        ends = Ends(server=server)
        keys = await ends.connect()
        assert ends.theirs.state == "connected"
        assert keys.rx != keys.tx
        assert ends.session.tasks() == 0, "an association costs no task"
        gone = asyncio.Event()
        ends.theirs.on("statechange", gone.set)
        ends.session.close()
        await gone.wait()
        assert ends.theirs.state == "closed"
        assert not ends.ended.done()

    run(scenario)


@pytest.mark.parametrize("server", [True, False])
def test_aiortcs_goodbye_ends_the_leg_once(server: bool) -> None:
    async def scenario() -> None:
        ends = Ends(server=server)
        await ends.connect()
        sent: list[bytes] = []
        feed = ends.session.feed
        ends._send = lambda datagram: _noting(sent, feed, datagram)  # type: ignore[method-assign]
        await ends.theirs.stop()
        assert await ends.ended == "dtls_closed"
        for datagram in sent:
            feed(PEER, datagram)
        ends.session.close()

    run(scenario)


async def _noting(
    sent: list[bytes], feed: Callable[[Address, bytes], None], datagram: bytes
) -> None:
    sent.append(datagram)
    feed(PEER, datagram)


def test_another_certificate_than_offered_ends_the_leg() -> None:
    async def scenario() -> None:
        ends = Ends(server=True, prints=OURS.fingerprints())
        connecting = asyncio.create_task(ends.connect())
        assert await ends.ended == "dtls_failed"
        assert not ends.keys.done()
        told = asyncio.Event()
        ends.theirs.on("statechange", told.set)
        await told.wait()
        assert ends.theirs.state == "failed"
        connecting.cancel()
        await asyncio.wait([connecting])
        ends.session.close()

    run(scenario)


def test_a_lost_flight_is_sent_again() -> None:
    async def scenario() -> None:
        ends = Ends(server=False)
        ends.to_lose = 1
        assert (await ends.connect()).tx
        assert ends.to_lose == 0
        ends.session.close()

    run(scenario)


@pytest.mark.parametrize("noise", [b"\x16", b"\x16\xfe\xfd" + b"\0" * 10, b"\x3f" * 1200])
def test_noise_before_the_handshake_does_not_stop_it(noise: bytes) -> None:
    async def scenario() -> None:
        ends = Ends(server=True)
        ends.session.feed(PEER, noise)
        await ends.connect()
        ends.session.feed(PEER, noise)
        await ends.theirs.stop()
        assert await ends.ended == "dtls_closed"
        ends.session.close()

    run(scenario)


def test_closing_in_the_middle_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        ends = Ends(server=False)
        ends.session.nominate(PEER)
        await asyncio.sleep(0)
        assert ends.session.tasks() == 1
        ends.session.close()
        assert ends.session.tasks() == 0
        ends.session.feed(PEER, b"\x16")
        await asyncio.sleep(0)
        assert not ends.ended.done()

    run(scenario)


def test_the_row_of_datagrams_is_bounded_and_what_does_not_fit_is_counted() -> None:
    async def scenario() -> None:
        ends = Ends(server=True)
        for _ in range(QUEUE + 36):
            ends.session.feed(PEER, b"\x16x")
        assert ends.pacer.overflowed == 36
        ends.session.close()
        await asyncio.sleep(0)

    run(scenario)


def test_the_openssl_program_shakes_hands_and_is_understood(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(Certificate.generate(wall_ns=0).to_pem())
    theirs = Certificate.from_pem((tmp_path / "key.pem").read_bytes())

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        keys: asyncio.Future[SrtpKeys] = loop.create_future()
        ended: asyncio.Future[str] = loop.create_future()
        link = _Link()
        transport, _ = await loop.create_datagram_endpoint(lambda: link, ("127.0.0.1", 0))
        link.session = DtlsSession(
            OURS,
            theirs.fingerprints(),
            link.send,
            HandshakePacer(lambda: 0),
            Callbacks(keys.set_result, ended.set_result),
            server=True,
        )
        port = transport.get_extra_info("sockname")[1]
        client = await _s_client(port, tmp_path / "key.pem")
        assert (await keys).tx
        assert client.stdin is not None
        client.stdin.write(b"Q\n")
        assert await ended == "dtls_closed"
        link.session.close()
        output, _ = await client.communicate()
        transport.close()
        assert re.search(rf"Cipher is {SUITE}", output.decode())
        assert "Extended master secret: yes" in output.decode()

    run(scenario)


class _Link(asyncio.DatagramProtocol):
    """One UDP socket under a session."""

    session: DtlsSession

    def __init__(self) -> None:
        self._transport: Any = None
        self._peer: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._peer = addr
        self.session.feed(PEER, data)

    def send(self, _address: Address, datagram: bytes) -> bool:
        self._transport.sendto(datagram, self._peer)
        return True


async def _s_client(port: int, pem: Path) -> asyncio.subprocess.Process:
    arguments = ("-dtls1_2", "-mtu", "1200", "-use_srtp", "SRTP_AES128_CM_SHA1_80")
    files = ("-cert", str(pem), "-key", str(pem))
    return await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments, *files),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
