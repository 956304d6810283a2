"""A pool's two Secrets as values: what they hold, and what they ought to hold.

Nothing is ever exchanged at one stroke. A new CA is trusted everywhere before it signs; a new
certificate is taken up by mixers for new connections; old keys verify until their tokens have run
out. So no call and no connection ends for it.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_operator.children.secrets import (
    CA_CERT_FILE,
    CA_KEY_FILE,
    KEYS_FILE,
    TLS_CERT_FILE,
    TLS_KEY_FILE,
    KeyMaterial,
)
from voiceroom_operator.keys import certificates, keyfile
from voiceroom_operator.keys.certificates import Pair

LOOK_AGAIN_S: Final = 30.0


@dataclass(frozen=True, slots=True, repr=False)
class Held:
    """What both Secrets hold."""

    ca: Pair
    pool: KeyMaterial


def data_of(secret: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Of a Secret; what is not base64 counts as absent."""
    found: dict[str, bytes] = {}
    for key, text in ((secret or {}).get("data") or {}).items():
        try:
            found[key] = b64decode(text, validate=True)
        except (ValueError, TypeError):
            continue
    return found


def wanted(
    ca_data: Mapping[str, bytes], pool_data: Mapping[str, bytes], name: str, now_s: float
) -> Held:
    """What the Secrets ought to hold now, made from what they hold; ``name``: the fixed name of
    TLS. What is spoilt is made anew."""
    bundle = certificates.split_bundle(pool_data.get(CA_CERT_FILE, b""))
    ca = _ca(ca_data, bundle, name, now_s)
    trusted = _trusted(ca, bundle, now_s)
    tls = _certificate(ca, trusted, bundle, pool_data, name, now_s)
    keys = keyfile.read(pool_data.get(KEYS_FILE, b"")) or ()
    raw = pool_data[KEYS_FILE] if keys else b""
    due = keyfile.exchanged(keys, now_s)
    return Held(
        ca,
        KeyMaterial(
            keys_json=raw if due == keys else keyfile.write(due),
            tls_cert=tls.cert,
            tls_key=tls.key,
            ca_cert=b"".join(trusted),
        ),
    )


def _ca(data: Mapping[str, bytes], bundle: tuple[bytes, ...], name: str, now_s: float) -> Pair:
    """The one that is there, unless it is worn."""
    pair = Pair(data.get(CA_CERT_FILE, b""), data.get(CA_KEY_FILE, b""))
    if certificates.worn(pair.cert, now_s) or not _signs(pair, name, now_s):
        return certificates.new_ca(name, now_s)
    return pair


def _signs(pair: Pair, name: str, now_s: float) -> bool:
    try:
        made = certificates.new_certificate(pair, name, now_s)
    except (ValueError, TypeError):
        return False
    return certificates.signed_by(made.cert, pair.cert)


def _trusted(ca: Pair, bundle: tuple[bytes, ...], now_s: float) -> tuple[bytes, ...]:
    """The CA, and the one before it until no certificate of it can be in use."""
    (mine,) = certificates.split_bundle(ca.cert)
    young = now_s - certificates.born_s(mine) < 2 * keyfile.SPREAD_S
    before = [cert for cert in bundle if cert != mine]
    return (mine, *before[:1]) if young else (mine,)


def _certificate(
    ca: Pair,
    trusted: tuple[bytes, ...],
    bundle: tuple[bytes, ...],
    data: Mapping[str, bytes],
    name: str,
    now_s: float,
) -> Pair:
    """The one that is there, unless it is worn or its CA is being left."""
    tls = Pair(data.get(TLS_CERT_FILE, b""), data.get(TLS_KEY_FILE, b""))
    good = certificates.is_for(tls.cert, tls.key, name)
    if not good or not any(certificates.signed_by(tls.cert, cert) for cert in trusted):
        return certificates.new_certificate(ca, name, now_s)
    (mine,) = certificates.split_bundle(ca.cert)
    spread = mine in bundle and now_s - certificates.born_s(mine) >= keyfile.SPREAD_S
    if certificates.signed_by(tls.cert, mine):
        return (
            certificates.new_certificate(ca, name, now_s)
            if certificates.worn(tls.cert, now_s)
            else tls
        )
    return certificates.new_certificate(ca, name, now_s) if spread else tls
