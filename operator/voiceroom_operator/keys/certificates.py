"""A pool's own CA, and the certificate that its mixers and the operator show each other.

Both sides are verified against one fixed name (contract §2), so one certificate serves all. Keys
are ECDSA P-256; certificates follow RFC 5280.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY_S: Final = 86_400.0
CA_LIFE_S: Final = 365 * DAY_S
CERT_LIFE_S: Final = 30 * DAY_S
_BACKDATED_S: Final = 3600.0
"""Machines whose clock is behind take a new certificate too."""
_USAGES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A certificate and its key, PEM."""

    cert: bytes
    key: bytes


def new_ca(name: str, now_s: float) -> Pair:
    """A CA that signs end certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"{name} CA {int(now_s)}")
    builder = (
        _builder(subject, subject, key.public_key(), now_s, CA_LIFE_S)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
    )
    return Pair(_sign(builder, key), _pem(key))


def new_certificate(ca: Pair, name: str, now_s: float) -> Pair:
    """For the DNS name ``name``, as server and as client. Raises ``ValueError`` for a bad CA."""
    issuer, signer = x509.load_pem_x509_certificate(ca.cert), _private(ca.key)
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = (
        _builder(_name(name), issuer.subject, key.public_key(), now_s, CERT_LIFE_S)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USAGES), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(authority, critical=False)
    )
    return Pair(_sign(builder, signer), _pem(key))


def worn(cert: bytes, now_s: float) -> bool:
    """Whether two thirds of its life are over, or it cannot be read."""
    try:
        found = x509.load_pem_x509_certificate(cert)
    except ValueError:
        return True
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    return now_s >= (begins + (ends - begins) * 2 / 3).timestamp()


def born_s(cert: bytes) -> float:
    """When it was made, Unix time. Raises ``ValueError`` for what is no certificate."""
    found = x509.load_pem_x509_certificate(cert)
    return found.not_valid_before_utc.timestamp() + _BACKDATED_S


def signed_by(cert: bytes, ca: bytes) -> bool:
    """Whether ``ca`` (PEM, one certificate) has signed ``cert``."""
    try:
        issued, issuer = x509.load_pem_x509_certificate(cert), x509.load_pem_x509_certificate(ca)
        issued.verify_directly_issued_by(issuer)
    except Exception:  # ValueError, TypeError, InvalidSignature: none of them is a yes
        return False
    return True


def is_for(cert: bytes, key: bytes, name: str) -> bool:
    """Whether certificate and key belong together and to ``name``."""
    try:
        found = x509.load_pem_x509_certificate(cert)
        sans = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        mine = _private(key).public_key() == found.public_key()
    except (ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return mine and name in sans.value.get_values_for_type(x509.DNSName)


def split_bundle(bundle: bytes) -> tuple[bytes, ...]:
    """Its certificates, PEM; none when it cannot be read."""
    try:
        found = x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return ()
    return tuple(cert.public_bytes(Encoding.PEM) for cert in found)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now_s: float,
    life_s: float,
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(int(now_s), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(seconds=_BACKDATED_S))
        .not_valid_after(now + timedelta(seconds=life_s))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not an elliptic-curve key")
    return key
