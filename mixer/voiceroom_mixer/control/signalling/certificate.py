"""Our DTLS certificate: one for all legs, older than any control process.

It stands in the keeper's memory (table ``control``, row 0), because an ICE restart answered by a
restarted control must show the same fingerprint. It is never written to a disk. Peers check the
fingerprint and not the dates (RFC 8122 §5), so it is not renewed under running calls.
"""

from __future__ import annotations

from typing import Final

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from voiceroom_mixer.edge.shm import BlobTable

ROW: Final = 0
_MODE_RELEASE_BUFFERS: Final = 0x10
"""SSL_MODE_RELEASE_BUFFERS: an association is idle after its handshake."""


class Certificate(RTCCertificate):
    """An ``RTCCertificate`` that can be kept, with one OpenSSL context for all legs: that saves a
    third of a handshake's CPU time and of an association's memory."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            # Nobody resumes a session here, and the context would keep each one that ever was.
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
            self._context.set_mode(_MODE_RELEASE_BUFFERS)
        return self._context

    def to_pem(self) -> bytes:
        """Key, then certificate."""
        key = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        certificate = self._cert.public_bytes(serialization.Encoding.PEM)
        return key + certificate

    @classmethod
    def from_pem(cls, pem: bytes) -> Certificate:
        """Raises ``ValueError`` for anything but an EC key and its certificate."""
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not an elliptic-curve key")
        return cls(key=key, cert=x509.load_pem_x509_certificate(pem))

    def fingerprints(self) -> tuple[tuple[str, str], ...]:
        """(algorithm, hex) for answers: SHA-256, which everybody verifies."""
        found = [(f.algorithm, f.value) for f in self.getFingerprints()]
        return tuple(pair for pair in found if pair[0] == "sha-256")


def kept(table: BlobTable) -> Certificate:
    """The certificate of this run; made by the first control process of it."""
    pem = table.read(ROW)
    if pem is not None:
        return Certificate.from_pem(pem)
    certificate = Certificate.generateCertificate()
    table.write(ROW, certificate.to_pem())
    return certificate
