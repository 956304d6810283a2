"""A DTLS-SRTP client over a connected UDP socket (RFC 5764), by pyOpenSSL alone."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from bench.errors import BenchError

_LABEL: Final = b"EXTRACTOR-dtls_srtp"
_MTU: Final = 1200
_ATTEMPTS: Final = 60
_FIRST_WAIT_S: Final = 0.5
_VALID: Final = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Profile:
    """An SRTP profile: its number in the registry, and lengths in bytes."""

    number: int
    key: int
    salt: int


PROFILES: Final = {
    b"SRTP_AEAD_AES_256_GCM": Profile(8, 32, 12),
    b"SRTP_AEAD_AES_128_GCM": Profile(7, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": Profile(1, 16, 14),
}
"""What Chromium offers; the server chooses."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Master key and salt joined, of each direction, as this client sees them."""

    profile: int
    tx: bytes
    rx: bytes


class Identity:
    """One key and certificate for all clients of a run."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "voiceroom-bench")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(_VALID[0]).not_valid_after(_VALID[1])
        self._certificate = builder.sign(key, hashes.SHA256())
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.use_privatekey(key)
        self.context.use_certificate(self._certificate)
        # Whom we talk to is proved by the fingerprint in the answer, not by a name.
        self.context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        self.context.set_tlsext_use_srtp(b":".join(PROFILES))

    @property
    def fingerprint(self) -> str:
        """SHA-256 as SDP writes it."""
        return self._certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def split_keys(profile: Profile, material: bytes) -> Keys:
    """RFC 5764 section 4.2: client key, server key, client salt, server salt."""
    k, s = profile.key, profile.salt
    salts = material[2 * k :]
    return Keys(profile.number, material[:k] + salts[:s], material[k : 2 * k] + salts[s : 2 * s])


def handshake(identity: Identity, sock: socket.socket, fingerprint: str) -> Keys:
    """As DTLS client. Raises ``BenchError`` when it comes to nothing."""
    connection = SSL.Connection(identity.context, None)
    connection.set_connect_state()
    connection.set_ciphertext_mtu(_MTU)
    for _ in range(_ATTEMPTS):
        try:
            connection.do_handshake()
            _flush(connection, sock)
            return _export(connection, fingerprint)
        except SSL.WantReadError:
            _flush(connection, sock)
            _take_in(connection, sock)
        except SSL.Error as error:
            raise BenchError(f"DTLS handshake refused: {error}") from error
    raise BenchError("DTLS handshake timed out")


def _flush(connection: SSL.Connection, sock: socket.socket) -> None:
    while True:
        try:
            sock.send(connection.bio_read(_MTU + 300))
        except SSL.WantReadError:
            return


def _take_in(connection: SSL.Connection, sock: socket.socket) -> None:
    """Feed one DTLS record, or have the flight sent again when none comes."""
    sock.settimeout(max(0.01, connection.DTLSv1_get_timeout() or _FIRST_WAIT_S))
    try:
        data = sock.recv(2048)
    except TimeoutError:
        connection.DTLSv1_handle_timeout()
        return
    if data and 20 <= data[0] <= 63:
        connection.bio_write(data)


def _export(connection: SSL.Connection, fingerprint: str) -> Keys:
    peer = connection.get_peer_certificate(as_cryptography=True)
    if peer is None or peer.fingerprint(hashes.SHA256()).hex(":") != fingerprint.lower():
        raise BenchError("the server's certificate is not the one of its answer")
    profile = PROFILES.get(connection.get_selected_srtp_profile())
    if profile is None:
        raise BenchError("the server chose no SRTP profile")
    length = 2 * (profile.key + profile.salt)
    return split_keys(profile, connection.export_keying_material(_LABEL, length, None))
