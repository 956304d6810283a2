"""``keys.json``: what it may hold, and how it is found (contract §3).

``{"keys": [{"kid", "secret" (base64), "use": "join" | "admin"}]}``. The first key of a use signs,
all verify; so a key is rotated by putting the new one first and taking the old one out once its
tokens have run out.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from voiceroom_mixer.core.state.legstate import Role

Use = Literal["join", "admin"]
MIN_SECRET_BYTES: Final = 32
"""HS256 wants a key as long as its hash (RFC 7518 §3.2)."""
MAX_SECRET_BYTES: Final = 1024
MAX_KEYS: Final = 64
MAX_KID: Final = 128


class KeysError(ValueError):
    """A key file cannot be used; the message names the file, the field and what is wanted."""


@dataclass(frozen=True, slots=True)
class Key:
    """One shared secret; its text form never shows the secret."""

    kid: str
    secret: bytes
    use: Use

    def __repr__(self) -> str:
        return f"Key(kid={self.kid!r}, use={self.use!r})"


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one file, in its order."""

    keys: tuple[Key, ...]

    def find(self, kid: str) -> Key | None:
        """The key of that id."""
        return next((key for key in self.keys if key.kid == kid), None)

    def signer(self, role: Role) -> Key:
        """The key that signs tokens of ``role``. Raises ``KeysError`` when there is none."""
        use: Use = "admin" if role == "admin" else "join"
        for key in self.keys:
            if key.use == use:
                return key
        raise KeysError(f'no key with "use": "{use}", which a token of role {role} takes')


def parse_keys(raw: str, source: str) -> KeySet:
    """The keys in the JSON text ``raw``; ``source`` names it in errors. Raises ``KeysError``."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise KeysError(f"{source}: not JSON: {error}") from error
    if not isinstance(document, dict) or set(document) != {"keys"}:
        raise KeysError(f'{source}: must be {{"keys": [...]}} and nothing else')
    entries = document["keys"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_KEYS:
        raise KeysError(f"{source}: keys: must be a list of 1 to {MAX_KEYS} keys")
    keys = tuple(_key(entry, f"{source}: keys[{i}]") for i, entry in enumerate(entries))
    _refuse_set(keys, source)
    return KeySet(keys)


def _refuse_set(keys: tuple[Key, ...], source: str) -> None:
    kids = [key.kid for key in keys]
    for kid in kids:
        if kids.count(kid) > 1:
            raise KeysError(f"{source}: two keys have the kid {kid!r}: give each its own")
    if not any(key.use == "join" for key in keys):
        raise KeysError(f'{source}: keys: at least one must have "use": "join"')


def _key(entry: object, where: str) -> Key:
    if not isinstance(entry, dict):
        raise KeysError(f"{where}: must be an object with kid, secret and use")
    for name in entry.keys() - {"kid", "secret", "use"}:
        raise KeysError(f"{where}.{name}: unknown field; a key has kid, secret and use")
    return Key(_kid(entry, where), _secret(entry, where), _use(entry, where))


def _kid(entry: Mapping[str, Any], where: str) -> str:
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 1 <= len(kid) <= MAX_KID or not kid.isprintable():
        raise KeysError(f"{where}.kid: must be 1 to {MAX_KID} printable characters")
    return kid


def _secret(entry: Mapping[str, Any], where: str) -> bytes:
    text = entry.get("secret")
    try:
        secret = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeysError(f"{where}.secret: must be base64: {error}") from error
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        raise KeysError(
            f"{where}.secret: must be base64 of {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes "
            f"(got {len(secret)}); make one with: openssl rand -base64 {MIN_SECRET_BYTES}"
        )
    return secret


def _use(entry: Mapping[str, Any], where: str) -> Use:
    match entry.get("use"):
        case "join":
            return "join"
        case "admin":
            return "admin"
    raise KeysError(f'{where}.use: must be "join" or "admin"')
