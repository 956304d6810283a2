"""DTLS as its client, and the SRTP keys that it gives (RFC 5764)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from voiceroom_api.units import NS_PER_S

# name in DTLS: profile of libsrtp, bytes of key and of salt (RFC 5764 §4.1.2, RFC 7714 §14.2)
_PROFILES: Final[dict[bytes, tuple[int, int, int]]] = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
_LABEL: Final = b"EXTRACTOR-dtls_srtp"
_MTU: Final = 1_200
_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "voiceroom probe")])


def fingerprint(der: bytes) -> str:
    """SHA-256 as in SDP (RFC 8122 §5)."""
    digest = sha256(der).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


class Dtls:
    """One association: bytes in and out; ``seal`` and ``open`` once ``done``."""

    def __init__(self, wall_ns: int) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, wall_ns)
        self.fingerprint = fingerprint(certificate.public_bytes(serialization.Encoding.DER))
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)  # the fingerprint is what counts
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_tlsext_use_srtp(b":".join(_PROFILES))
        self._ssl: Any = SSL.Connection(context)
        self._ssl.set_ciphertext_mtu(_MTU)
        self._ssl.set_connect_state()
        self._in: Any = None
        self._out: Any = None

    @property
    def done(self) -> bool:
        """Whether there are keys."""
        return self._in is not None

    def take(self, datagram: bytes) -> None:
        """One DTLS datagram of the peer."""
        self._ssl.bio_write(datagram)

    def advance(self, expected_fingerprint: str) -> list[bytes]:
        """Go on with the handshake; gives what is to be sent. Call it every 100 ms or so as well,
        since what was lost is sent again. Raises ``ConnectionError``."""
        try:
            with suppress(SSL.WantReadError):
                if not self.done:
                    self._ssl.DTLSv1_handle_timeout()
                    self._ssl.do_handshake()
                    self._finish(expected_fingerprint)
        except SSL.Error as error:
            raise ConnectionError(f"DTLS was refused: {error}") from error
        return self._flights()

    def close(self) -> list[bytes]:
        """close_notify, to be sent."""
        with suppress(SSL.Error):
            self._ssl.shutdown()
        return self._flights()

    def seal(self, packet: bytes) -> bytes:
        """SRTP."""
        return bytes(self._out.protect(packet))

    def open(self, packet: bytes) -> bytes:
        """The plain packet. Raises ``pylibsrtp.Error`` for what is not authentic."""
        return bytes(self._in.unprotect(packet))

    def _flights(self) -> list[bytes]:
        flights: list[bytes] = []
        with suppress(SSL.WantReadError):
            while True:
                flights.append(self._ssl.bio_read(2 * _MTU))
        return flights

    def _finish(self, expected_fingerprint: str) -> None:
        peer = self._ssl.get_peer_certificate(as_cryptography=True)
        found = fingerprint(peer.public_bytes(serialization.Encoding.DER))
        if found != expected_fingerprint.upper():
            raise ConnectionError("DTLS: the certificate is not the one that the answer names")
        profile, key, salt = _PROFILES[self._ssl.get_selected_srtp_profile()]
        made = self._ssl.export_keying_material(_LABEL, 2 * (key + salt))
        ours = made[:key] + made[2 * key : 2 * key + salt]
        theirs = made[key : 2 * key] + made[2 * key + salt :]
        outward, inward = Policy.SSRC_ANY_OUTBOUND, Policy.SSRC_ANY_INBOUND
        self._out = Session(Policy(key=ours, ssrc_type=outward, srtp_profile=profile))
        self._in = Session(Policy(key=theirs, ssrc_type=inward, srtp_profile=profile))


def _certificate(key: ec.EllipticCurvePrivateKey, wall_ns: int) -> x509.Certificate:
    now = datetime.fromtimestamp(wall_ns // NS_PER_S, UTC)
    builder = x509.CertificateBuilder().subject_name(_NAME).issuer_name(_NAME)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    day = timedelta(days=1)
    return builder.not_valid_before(now - day).not_valid_after(now + day).sign(key, hashes.SHA256())
