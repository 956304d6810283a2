"""The pool's Secrets. Keys and certificates are made elsewhere and passed in."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_operator.children.marks import PoolRef, metadata

KEYS_FILE: Final = "keys.json"
TLS_CERT_FILE: Final = "tls.crt"
TLS_KEY_FILE: Final = "tls.key"
CA_CERT_FILE: Final = "ca.crt"
CA_KEY_FILE: Final = "ca.key"


@dataclass(frozen=True, slots=True, repr=False)
class KeyMaterial:
    """What mixers need to know each other, the operator and their users."""

    keys_json: bytes
    """Join and admin keys (contract §3)."""
    tls_cert: bytes
    """PEM; for the name ``mixer.POOL.NAMESPACE``."""
    tls_key: bytes
    ca_cert: bytes


def tls_name(pool: PoolRef) -> str:
    """The fixed name that both sides of an admin connection are verified against."""
    return f"mixer.{pool.name}.{pool.namespace}"


def pool_secret(pool: PoolRef, material: KeyMaterial) -> dict[str, Any]:
    """Secret ``voiceroom-POOL``, which every mixer of the pool mounts."""
    data = {
        KEYS_FILE: material.keys_json,
        TLS_CERT_FILE: material.tls_cert,
        TLS_KEY_FILE: material.tls_key,
        CA_CERT_FILE: material.ca_cert,
    }
    return _secret(pool, pool.object_name(), data)


def ca_secret(pool: PoolRef, ca_cert: bytes, ca_key: bytes) -> dict[str, Any]:
    """Secret ``voiceroom-POOL-ca``, which no pod mounts."""
    return _secret(pool, f"{pool.object_name()}-ca", {CA_CERT_FILE: ca_cert, CA_KEY_FILE: ca_key})


def _secret(pool: PoolRef, name: str, data: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(pool, name),
        "type": "Opaque",
        "data": {key: b64encode(value).decode() for key, value in data.items()},
    }
