"""Our DTLS certificate: one for all legs, older than any control process.

It stands in the keeper's memory (table ``control``, row 0), because an ICE restart answered by a
restarted control must show the same fingerprint. It is never written to a disk. Peers check the
fingerprint and not the dates (RFC 8122 §5), so it is not renewed under running calls.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.signalling.association import fingerprint, make_context
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.shm import BlobTable

ROW: Final = 0
_BEFORE: Final = timedelta(days=1)
"""For a peer whose clock is behind and that looks at the dates all the same."""
_LIFE: Final = timedelta(days=3650)
_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])


class Certificate:
    """A self-signed P-256 certificate and its key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def generate(cls, wall_ns: int) -> Certificate:
        """A new one, valid from a day before ``wall_ns`` (since 1970, UTC)."""
        now = datetime.fromtimestamp(wall_ns // NS_PER_S, UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(_NAME)
            .issuer_name(_NAME)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BEFORE)
            .not_valid_after(now + _LIFE)
        )
        return cls(key, builder.sign(key, hashes.SHA256()))

    @cached_property
    def context(self) -> SSL.Context:
        """OpenSSL's context of all legs."""
        return make_context(self._key, self._certificate)

    def to_pem(self) -> bytes:
        """Key, then certificate."""
        key = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return key + self._certificate.public_bytes(serialization.Encoding.PEM)

    @classmethod
    def from_pem(cls, pem: bytes) -> Certificate:
        """Raises ``ValueError`` for anything but an EC key and its certificate."""
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not an elliptic-curve key")
        return cls(key, x509.load_pem_x509_certificate(pem))

    def fingerprints(self) -> tuple[tuple[str, str], ...]:
        """(algorithm, hex) for answers: SHA-256, which everybody verifies."""
        return (("sha-256", fingerprint(self._certificate, "sha-256")),)


def kept(table: BlobTable) -> Certificate:
    """The certificate of this run; made by the first control process of it."""
    pem = table.read(ROW)
    if pem is not None:
        return Certificate.from_pem(pem)
    certificate = Certificate.generate(clock.wall_ns())
    table.write(ROW, certificate.to_pem())
    return certificate
