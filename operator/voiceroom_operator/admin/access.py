"""How the pods of a pool are reached: TLS of both sides, the bearer, the address."""

from __future__ import annotations

import os
import secrets
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt

from voiceroom_operator.children.secrets import KeyMaterial
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.keys import keyfile

TOKEN_LIFE_S: Final = 600.0
IDENTITY: Final = "voiceroom-operator"
_ROOM: Final = "operator"
"""The claim has to be a label; an admin's token counts for every room."""

Address = str
"""``HOST:PORT``; a host with colons stands in brackets."""
Resolve = Callable[[Body], Address]
"""Where a pod's admin listener is; empty = not known yet."""


def admin_address(pod: Body) -> Address:
    """The pod's IP and its container port ``admin``."""
    host = str((pod.get("status") or {}).get("podIP") or "")
    containers = (pod.get("spec") or {}).get("containers") or ()
    ports: list[Mapping[str, Any]] = [p for c in containers for p in c.get("ports") or ()]
    found = [port["containerPort"] for port in ports if port.get("name") == "admin"]
    if not host or not found:
        return ""
    return f"[{host}]:{found[0]}" if ":" in host else f"{host}:{found[0]}"


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """To the pods of one pool."""

    context: ssl.SSLContext
    server_name: str
    key: keyfile.Key
    """That signs admin tokens."""

    def bearer(self, now_s: float) -> str:
        """A fresh token; ``now_s``: Unix time."""
        claims = {
            "sub": IDENTITY,
            "room": _ROOM,
            "role": "admin",
            "exp": int(now_s + TOKEN_LIFE_S),
            "aud": "voiceroom",
            "jti": secrets.token_urlsafe(12),
        }
        secret = _bytes(self.key.secret)
        return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": self.key.kid})


def access(material: KeyMaterial, server_name: str) -> Access:
    """Raises ``ValueError`` or ``ssl.SSLError`` for material that cannot be used."""
    keys = keyfile.read(material.keys_json)
    key = keyfile.signer(keys or (), "admin")
    if key is None:
        raise ValueError("keys.json of the pool has no admin key")
    return Access(_context(material), server_name, key)


def _context(material: KeyMaterial) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=material.ca_cert.decode())
    # the ssl module takes a key from a file only
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder, "pair.pem")
        with os.fdopen(os.open(pair, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(material.tls_key + material.tls_cert)
        context.load_cert_chain(pair)
    return context


def _bytes(secret: str) -> bytes:
    from base64 import b64decode

    return b64decode(secret)
