"""Our DTLS association against a bare OpenSSL, of either role and every suite.

What the peer sees is what counts: keys that carry sound, a goodbye that it understands, an alert
when its certificate is refused; and that its goodbye is understood here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from aiortc import RTCCertificate
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from voiceroom_mixer.control.signalling.association import Association, DtlsError
from voiceroom_mixer.control.signalling.certificate import Certificate
from voiceroom_mixer.control.signalling.records import MAX_REPEATS, MTU, Remainder, records
from voiceroom_mixer.core.state.legstate import SrtpKeys

OURS = Certificate.generate(wall_ns=1_700_000_000 * 10**9)
THEIRS = RTCCertificate.generateCertificate()
THEIR_PRINTS = tuple((f.algorithm, f.value) for f in THEIRS.getFingerprints())
GCM, CHACHA = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"
SALTS = {b"SRTP_AEAD_AES_256_GCM": (32, 12), b"SRTP_AES128_CM_SHA1_80": (16, 14)}


class BarePeer:
    """OpenSSL and nothing else, in either role."""

    def __init__(self, *, server: bool, suite: str = GCM, profile: bytes = b"") -> None:
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        context.use_certificate(THEIRS._cert)
        context.use_privatekey(THEIRS._key)
        context.set_cipher_list(suite.encode())
        context.set_tlsext_use_srtp(profile or b":".join(SALTS))
        self.ssl: Any = SSL.Connection(context)
        if server:
            self.ssl.set_accept_state()
        else:
            self.ssl.set_connect_state()

    def advance(self) -> bool:
        with suppress(SSL.WantReadError):
            self.ssl.do_handshake()
            return True
        return False

    def outgoing(self) -> bytes:
        with suppress(SSL.WantReadError):
            return bytes(self.ssl.bio_read(65536))
        return b""

    def srtp_key(self, *, of_client: bool) -> str:
        key, salt = SALTS[self.ssl.get_selected_srtp_profile()]
        block = self.ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        n = 0 if of_client else 1
        salts = block[2 * key :]
        return bytes(block[n * key :][:key] + salts[n * salt :][:salt]).hex()


def handshake(
    peer: BarePeer,
    *,
    server: bool,
    prints: tuple[tuple[str, str], ...] = THEIR_PRINTS,
    seen: list[bytes] | None = None,
) -> tuple[SrtpKeys, Remainder]:
    """Both ends to the end; ``seen`` gets every datagram of ours."""
    ours = Association(OURS.context, prints, server=server)
    done = False
    try:
        for _ in range(8):
            peer_done = peer.advance()
            ours.receive(peer.outgoing())
            done = done or ours.advance()
            for datagram in ours.outgoing():
                if seen is not None:
                    seen.append(datagram)
                peer.ssl.bio_write(datagram)
            if done and (peer_done or peer.advance()):
                return ours.keys(), ours.finish()
    except DtlsError:
        for datagram in ours.outgoing():
            peer.ssl.bio_write(datagram)
        raise
    finally:
        ours.drop()
    raise AssertionError("the handshake came to nothing")


@pytest.mark.parametrize("server", [True, False])
@pytest.mark.parametrize("suite", [GCM, CHACHA])
@pytest.mark.parametrize("profile", sorted(SALTS))
def test_both_ends_have_the_same_keys(server: bool, suite: str, profile: bytes) -> None:
    peer = BarePeer(server=not server, suite=suite, profile=profile)
    keys, _ = handshake(peer, server=server)
    assert peer.ssl.get_cipher_name() == suite
    assert keys.rx == peer.srtp_key(of_client=server)
    assert keys.tx == peer.srtp_key(of_client=not server)
    packet = bytes.fromhex("806f000100000001deadbeef") + b"sound"
    sender = Session(_policy(keys.profile, keys.tx, Policy.SSRC_ANY_OUTBOUND))
    listener = Session(_policy(keys.profile, keys.tx, Policy.SSRC_ANY_INBOUND))
    assert listener.unprotect(sender.protect(packet)) == packet


def _policy(profile: int, key: str, ssrc_type: int) -> Policy:
    return Policy(key=bytes.fromhex(key), ssrc_type=ssrc_type, srtp_profile=profile)


@pytest.mark.parametrize("server", [True, False])
@pytest.mark.parametrize("suite", [GCM, CHACHA])
def test_goodbyes_are_understood_both_ways(server: bool, suite: str) -> None:
    peer = BarePeer(server=not server, suite=suite)
    _, remainder = handshake(peer, server=server)
    peer.ssl.bio_write(remainder.goodbye())
    with pytest.raises(SSL.ZeroReturnError):
        peer.ssl.recv(100)
    peer.ssl.shutdown()
    assert not remainder.closed
    assert remainder.receive(peer.outgoing()) == ()
    assert remainder.closed


def test_only_the_peers_own_alert_ends_the_association() -> None:
    peer, stranger = BarePeer(server=False), BarePeer(server=False)
    _, remainder = handshake(peer, server=True)
    handshake(stranger, server=True)
    stranger.ssl.shutdown()
    forged = stranger.outgoing()
    peer.ssl.shutdown()
    real = peer.outgoing()
    in_the_clear = b"\x15\xfe\xfd" + bytes(8) + b"\0\2\1\0"
    for datagram in (forged, in_the_clear, real[:-1], real[:-1] + bytes((real[-1] ^ 1,))):
        assert remainder.receive(datagram) == ()
        assert not remainder.closed
    remainder.receive(b"noise of others" + real)
    assert not remainder.closed, "a record begins where its datagram does"
    remainder.receive(real)
    assert remainder.closed


def test_data_of_the_peer_is_left_alone() -> None:
    peer = BarePeer(server=False)
    _, remainder = handshake(peer, server=True)
    peer.ssl.send(b"a data channel that nobody asked for")
    assert remainder.receive(peer.outgoing()) == ()
    assert not remainder.closed


def test_a_lost_last_flight_is_said_again_until_the_peer_has_it() -> None:
    peer = BarePeer(server=False)
    ours = Association(OURS.context, THEIR_PRINTS, server=True)
    final = b""
    while True:
        peer.advance()
        final = peer.outgoing()
        ours.receive(final)
        if ours.advance():
            break
        for datagram in ours.outgoing():
            peer.ssl.bio_write(datagram)
    assert ours.outgoing(), "and this is lost"
    remainder = ours.finish()
    assert not peer.advance()
    for datagram in remainder.receive(final):
        peer.ssl.bio_write(datagram)
    assert peer.advance(), "the peer has our Finished now"
    again = sum(bool(remainder.receive(final)) for _ in range(100))
    assert again == MAX_REPEATS - 1, "an echo has an end"


def test_no_datagram_of_ours_is_longer_than_the_path_is_wide() -> None:
    seen: list[bytes] = []
    handshake(BarePeer(server=False), server=True, seen=seen)
    assert len(seen) >= 2
    assert max(map(len, seen)) <= MTU
    assert all(b"".join(r.raw for r in records(datagram)) == datagram for datagram in seen)


@pytest.mark.parametrize("server", [True, False])
def test_the_peer_is_told_that_its_certificate_is_not_the_offered_one(server: bool) -> None:
    peer = BarePeer(server=not server)
    other = OURS.fingerprints()
    with pytest.raises(DtlsError):
        handshake(peer, server=server, prints=other)
    with pytest.raises(SSL.Error, match="alert"):
        peer.ssl.do_handshake()


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_every_fingerprint_of_the_offer_is_verified(algorithm: str) -> None:
    right = tuple(pair for pair in THEIR_PRINTS if pair[0] == algorithm)
    handshake(BarePeer(server=False), server=True, prints=right)
    lower = tuple((name, value.lower()) for name, value in right)
    handshake(BarePeer(server=False), server=True, prints=lower)
    wrong = (*right, OURS.fingerprints()[0])
    with pytest.raises(DtlsError):
        handshake(BarePeer(server=False), server=True, prints=wrong)
    with pytest.raises(DtlsError):
        handshake(BarePeer(server=False), server=True, prints=())


def test_a_peer_without_a_common_srtp_profile_is_refused() -> None:
    peer = BarePeer(server=False, profile=b"SRTP_AES128_CM_SHA1_32")
    with pytest.raises(DtlsError, match="profile"):
        handshake(peer, server=True)
