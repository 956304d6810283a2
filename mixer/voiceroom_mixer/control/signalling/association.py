"""The DTLS handshake of one leg over pyOpenSSL, up to the SRTP keys (RFC 5764). Sans-IO.

DTLS 1.2 only, as every WebRTC client has it (RFC 8827 §6.5): what is left of an association
afterwards (``records.Remainder``) is made from its keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from OpenSSL.crypto import X509
from pylibsrtp import Policy

from voiceroom_mixer.control.signalling.records import (
    MTU,
    SUITES,
    Remainder,
    datagrams,
    write_keys,
)
from voiceroom_mixer.core.state.legstate import SrtpKeys

DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}
_EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
_DTLS_1_2: Final = 0xFEFD
_OP_NO_QUERY_MTU: Final = 0x1000
_MODE_RELEASE_BUFFERS: Final = 0x10
_MAX_OUTPUT: Final = 65536


class DtlsError(RuntimeError):
    """The handshake has failed; the text says at what."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A protection profile of RFC 5764 §4.1.2 or RFC 7714 §14.2."""

    libsrtp: int
    key_bytes: int
    salt_bytes: int


PROFILES: Final = {
    b"SRTP_AEAD_AES_256_GCM": Profile(Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
    b"SRTP_AEAD_AES_128_GCM": Profile(Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": Profile(Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
"""By OpenSSL's name, in order of preference."""


def fingerprint(certificate: x509.Certificate, algorithm: str) -> str:
    """Colon-separated upper-case hex (RFC 8122 §5)."""
    return certificate.fingerprint(DIGESTS[algorithm]).hex(":").upper()


def make_context(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> SSL.Context:
    """One for all associations: that saves a third of a handshake's CPU time."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_max_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_TICKET | _OP_NO_QUERY_MTU)
    context.set_mode(_MODE_RELEASE_BUFFERS)
    # Nobody resumes a session here, and the context would keep each one that ever was.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_cipher_list(":".join(SUITES).encode())
    context.set_tlsext_use_srtp(b":".join(PROFILES))
    return context


def _verify(
    connection: SSL.Connection, certificate: X509, _error: int, depth: int, _ok: int
) -> bool:
    """OpenSSL asks about each certificate; what counts is the fingerprint of the peer's own, and
    saying no here tells the peer so (alert bad_certificate)."""
    association = connection.get_app_data()
    return depth > 0 or association.is_offered(certificate.to_cryptography())


class Association:
    """One handshake. Datagrams go in by ``receive``, come out of ``outgoing``."""

    def __init__(
        self, context: SSL.Context, fingerprints: Sequence[tuple[str, str]], *, server: bool
    ) -> None:
        self._server = server
        self._fingerprints = fingerprints
        self._trusted = False
        self._last_flight: tuple[bytes, ...] = ()
        self._ssl: Any = SSL.Connection(context)
        self._ssl.set_app_data(self)
        self._ssl.set_ciphertext_mtu(MTU)
        if server:
            self._ssl.set_accept_state()
        else:
            self._ssl.set_connect_state()

    def is_offered(self, certificate: x509.Certificate) -> bool:
        """Whether it is the one that the offer names: by every fingerprint of it."""
        self._trusted = bool(self._fingerprints) and all(
            fingerprint(certificate, name) == value.upper() for name, value in self._fingerprints
        )
        return self._trusted

    def receive(self, datagram: bytes) -> None:
        """A datagram of the peer; ``advance`` makes use of it."""
        if datagram:
            self._ssl.bio_write(datagram)

    def advance(self) -> bool:
        """Go on as far as it goes; True when the keys are there. Raises ``DtlsError``.

        ``outgoing`` has something to say after either, an alert too.
        """
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise DtlsError(f"the DTLS handshake failed: {error}") from error
        if not self._trusted:
            raise DtlsError("the peer's certificate was not looked at")
        return True

    def outgoing(self) -> tuple[bytes, ...]:
        """The datagrams to send now."""
        output = b""
        with suppress(SSL.WantReadError):
            while True:
                output += self._ssl.bio_read(_MAX_OUTPUT)
        if output:
            self._last_flight = tuple(datagrams(output))
            return self._last_flight
        return ()

    def timeout_s(self) -> float | None:
        """Until a flight is to be sent again by ``expire``; None: the word is with the peer."""
        left_s: float | None = self._ssl.DTLSv1_get_timeout()
        return left_s

    def expire(self) -> None:
        """Send the flight again, if it is time. Raises ``DtlsError`` after too many."""
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error as error:
            raise DtlsError("the peer does not answer") from error

    def keys(self) -> SrtpKeys:
        """The SRTP keys (RFC 5764 §4.2): ``rx`` is what the peer writes with, which is the
        client's key and salt where we are the server. Raises ``DtlsError``."""
        profile = PROFILES.get(self._ssl.get_selected_srtp_profile())
        if profile is None:
            raise DtlsError("no SRTP protection profile is common to both")
        key, salt = profile.key_bytes, profile.salt_bytes
        material = self._ssl.export_keying_material(_EXPORTER, 2 * (key + salt))
        salts = material[2 * key :]
        client = (material[:key] + salts[:salt]).hex()
        server = (material[key : 2 * key] + salts[salt:]).hex()
        rx, tx = (client, server) if self._server else (server, client)
        return SrtpKeys(profile.libsrtp, rx=rx, tx=tx)

    def finish(self) -> Remainder:
        """What is left when the handshake is over; OpenSSL's memory goes with this object."""
        ssl = self._ssl
        suite = SUITES[ssl.get_cipher_name()]
        client, server = write_keys(
            suite, ssl.master_key(), ssl.server_random() + ssl.client_random()
        )
        self.drop()
        if self._server:
            return Remainder(server, client, self._last_flight)
        return Remainder(client, server, ())  # the server had the last word

    def drop(self) -> None:
        """Let go of OpenSSL's memory now: the two hold each other."""
        if self._ssl is not None:
            self._ssl.set_app_data(None)
            self._ssl = None
