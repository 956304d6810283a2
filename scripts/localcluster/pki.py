"""Keys, certificates and tokens of one cluster, made anew for each."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=365)
SERVICE_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Credentials:
    """Files that the components share; `tokens` maps a user to its bearer token."""

    folder: Path
    tokens: dict[str, str]

    def file(self, name: str) -> str:
        """The path of one of the files, such as `ca.crt`."""
        return str(self.folder / name)

    def kubeconfig(self, user: str, server: str, context: str, path: Path) -> Path:
        """Write a kubeconfig for `user`, readable by its owner only, complete in itself."""
        authority = base64.b64encode((self.folder / "ca.crt").read_bytes()).decode()
        cluster = {"server": server, "certificate-authority-data": authority}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": user, "user": {"token": self.tokens[user]}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
            "current-context": context,
        }
        _write(path, yaml.safe_dump(document, sort_keys=False).encode())
        return path


def create(folder: Path, addresses: Sequence[str], groups: dict[str, str]) -> Credentials:
    """Make everything in `folder`.

    `addresses` are those under which the API server is reached; `groups` maps each user that gets
    a token to its group ("" for none).
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = _Authority.create()
    _write(folder / "ca.crt", _pem(authority.certificate))
    _issue(authority, folder, "apiserver", _server_names(addresses))
    # The kubelets ask for this one: without it `kubectl logs` and `exec` are refused.
    _issue(authority, folder, "kubelet-client", None)
    # Service-account tokens are RS256: kube-apiserver publishes the matching key itself.
    service_accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write(folder / "service-accounts.key", _key_pem(service_accounts))
    tokens = {user: secrets.token_hex(16) for user in groups}
    rows = [
        f'{token},{user},{number},"{groups[user]}"'
        for number, (user, token) in enumerate(tokens.items())
    ]
    _write(folder / "tokens.csv", ("\n".join(rows) + "\n").encode())
    return Credentials(folder, tokens)


@dataclass(frozen=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls) -> _Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("voiceroom-cluster-ca")
        builder = _builder(name, name, key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        return cls(key, builder.sign(key, hashes.SHA256()))


def _issue(
    authority: _Authority, folder: Path, name: str, server: x509.SubjectAlternativeName | None
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name, organization="" if server else "system:masters")
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = _builder(subject, authority.certificate.subject, key).add_extension(
        x509.ExtendedKeyUsage([usage]), critical=False
    )
    if server:
        builder = builder.add_extension(server, critical=False)
    _write(folder / f"{name}.crt", _pem(builder.sign(authority.key, hashes.SHA256())))
    _write(folder / f"{name}.key", _key_pem(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Nodes on one machine share its clock; an hour covers a clock that is set back.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _server_names(addresses: Sequence[str]) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in SERVICE_NAMES]
    numbers = dict.fromkeys(["127.0.0.1", *addresses])
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in numbers]
    return x509.SubjectAlternativeName(names)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
