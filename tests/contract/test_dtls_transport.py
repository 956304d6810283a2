"""The seam to aiortc: two DTLS sessions over our transport agree on SRTP keys.

Everything private that ``signalling/dtls.py`` rests on is exercised here, so that an upgrade of
aiortc that moves it fails in this file and not in a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from pylibsrtp import Policy, Session

from voiceroom_mixer.control.signalling.certificate import Certificate
from voiceroom_mixer.control.signalling.dtls import Callbacks, DtlsSession, LegTransport
from voiceroom_mixer.control.signalling.pacing import HandshakePacer
from voiceroom_mixer.core.state.legstate import SrtpKeys
from voiceroom_mixer.core.state.messages import Address

SERVER, CLIENT = Address(b"\x7f\0\0\1", 1), Address(b"\x7f\0\0\1", 2)


@dataclass
class Peer:
    """One end, with what its callbacks were told."""

    session: DtlsSession
    keys: asyncio.Future[SrtpKeys]
    ended: asyncio.Future[str] = field(default_factory=asyncio.Future)


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


def make_pair(
    server_wants: tuple[tuple[str, str], ...] | None = None,
    lose: Callable[[int], bool] = lambda n: False,
) -> tuple[Peer, Peer]:
    """A server and a client; ``lose(n)`` says whether the n-th datagram is lost on the way."""
    certificates = Certificate.generateCertificate(), Certificate.generateCertificate()
    sent = 0
    peers: list[Peer] = []

    def sender(to: int, source: Address) -> Callable[[Address, bytes], bool]:
        def send(_address: Address, datagram: bytes) -> bool:
            nonlocal sent
            sent += 1
            if not lose(sent):
                peers[to].session.feed(source, datagram)
            return True

        return send

    pacer = HandshakePacer(lambda: 0, _no_wait)
    for index, is_server in enumerate((True, False)):
        source = SERVER if is_server else CLIENT
        transport = LegTransport(sender(1 - index, source), server=is_server)
        wants = certificates[1 - index].fingerprints()
        if is_server and server_wants is not None:
            wants = server_wants
        keys: asyncio.Future[SrtpKeys] = asyncio.Future()
        ended: asyncio.Future[str] = asyncio.Future()
        callbacks = Callbacks(keys.set_result, ended.set_result)
        session = DtlsSession(certificates[index], wants, transport, pacer, callbacks)
        peers.append(Peer(session, keys, ended))
    return peers[0], peers[1]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(bounded())


async def connect(server: Peer, client: Peer) -> tuple[SrtpKeys, SrtpKeys]:
    client.session.nominate(SERVER)
    keys = await server.keys, await client.keys
    return keys


def test_the_keys_of_both_ends_mirror_each_other_and_carry_sound() -> None:
    async def scenario() -> None:
        server, client = make_pair()
        ours, theirs = await connect(server, client)
        assert (ours.rx, ours.tx, ours.profile) == (theirs.tx, theirs.rx, theirs.profile)
        assert ours.rx != ours.tx
        assert ours.profile in {p.libsrtp_profile for p in SRTP_PROFILES}
        packet = bytes.fromhex("806f000100000001deadbeef") + b"sound"
        outbound = Session(_policy(theirs.profile, theirs.tx, Policy.SSRC_ANY_OUTBOUND))
        inbound = Session(_policy(ours.profile, ours.rx, Policy.SSRC_ANY_INBOUND))
        assert inbound.unprotect(outbound.protect(packet)) == packet
        server.session.close()
        client.session.close()

    run(scenario)


def _policy(profile: int, key: str, ssrc_type: int) -> Policy:
    return Policy(key=bytes.fromhex(key), ssrc_type=ssrc_type, srtp_profile=profile)


def test_all_associations_share_one_context() -> None:
    certificate = Certificate.generateCertificate()
    first = certificate._create_ssl_context(SRTP_PROFILES)
    assert certificate._create_ssl_context(SRTP_PROFILES) is first


def test_close_notify_ends_the_other_side() -> None:
    async def scenario() -> None:
        server, client = make_pair()
        await connect(server, client)
        client.session.close()
        assert await server.ended == "dtls_closed"
        assert not client.ended.done()
        server.session.close()

    run(scenario)


def test_a_certificate_that_the_offer_did_not_name_is_refused() -> None:
    async def scenario() -> None:
        other = Certificate.generateCertificate().fingerprints()
        server, client = make_pair(server_wants=other)
        client.session.nominate(SERVER)
        assert await server.ended == "dtls_failed"
        assert not server.keys.done()
        server.session.close()
        client.session.close()

    run(scenario)


def test_a_lost_flight_is_sent_again() -> None:
    async def scenario() -> None:
        server, client = make_pair(lose=lambda n: n == 2)
        ours, theirs = await connect(server, client)
        assert ours.rx == theirs.tx
        server.session.close()
        client.session.close()

    run(scenario)


def test_closing_leaves_no_task_behind_even_in_the_middle() -> None:
    async def scenario() -> None:
        server, client = make_pair(lose=lambda n: n > 1)
        client.session.nominate(SERVER)
        await asyncio.sleep(0)
        assert client.session.tasks() == 1
        server.session.close()
        client.session.close()
        assert client.session.tasks() == 0
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        assert not server.ended.done()
        assert not client.ended.done()

    run(scenario)


@pytest.mark.parametrize("noise", [b"\x16", b"\x16\xfe\xfd" + b"\0" * 10, b"\x3f" * 1200])
def test_noise_before_the_handshake_does_not_stop_it(noise: bytes) -> None:
    async def scenario() -> None:
        server, client = make_pair()
        server.session.feed(CLIENT, noise)
        ours, theirs = await connect(server, client)
        assert ours.rx == theirs.tx
        server.session.close()
        client.session.close()

    run(scenario)


def test_the_queue_is_bounded_and_what_does_not_fit_is_counted() -> None:
    async def scenario() -> None:
        transport = LegTransport(lambda _a, _d: True, server=True)
        for _ in range(100):
            transport.feed(CLIENT, b"\x16x")
        assert transport.dropped == 36
        transport.close()
        received = 0
        try:
            while await transport._recv():
                received += 1
        except ConnectionError:
            assert received == 0, "a gone leg has nothing more to say"

    run(scenario)
