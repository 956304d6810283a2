"""``keys.json`` of a pool (contract §3), and its exchange.

The first key of a use signs, all of them verify. A new key is put last; once every pod has it, it
goes first; the one that it takes over from stays until its tokens have run out.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

Use = Literal["join", "admin"]
USES: Final[tuple[Use, ...]] = ("join", "admin")
_DAY_S: Final = 86_400.0
SIGNS_S: Final = 30 * _DAY_S
"""How long a key signs."""
SPREAD_S: Final = 600.0
"""Until every pod has a changed Secret: a kubelet's sync takes about two minutes."""
OUTLIVES_S: Final = 25 * 3600.0
"""How long a key still verifies once it signs no more: tokens live 24 h at most."""
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Key:
    """One shared secret. ``kid`` is USE-SECONDS-WORD: it says when the key was made."""

    kid: str
    secret: str
    use: Use

    def __repr__(self) -> str:
        return f"Key({self.kid!r})"

    @property
    def made_s(self) -> float:
        """Unix time; 0 for a key that a person has put in."""
        parts = self.kid.split("-")
        return float(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else 0.0


def new_key(use: Use, now_s: float) -> Key:
    """A random one."""
    kid = f"{use}-{int(now_s)}-{secrets.token_hex(4)}"
    return Key(kid, b64encode(secrets.token_bytes(_SECRET_BYTES)).decode(), use)


def read(raw: bytes) -> tuple[Key, ...] | None:
    """None for what is not a key file with a key of each use, which mixers would refuse."""
    try:
        entries = json.loads(raw)["keys"]
        keys = tuple(Key(str(e["kid"]), str(e["secret"]), e["use"]) for e in entries)
        usable = all(b64decode(key.secret, validate=True) for key in keys)
    except (ValueError, KeyError, TypeError):
        return None
    return keys if usable and _uses(keys) else None


def _uses(keys: Sequence[Key]) -> bool:
    return {key.use for key in keys} == set(USES)


def write(keys: Sequence[Key]) -> bytes:
    """As the mixer reads it."""
    entries: list[dict[str, Any]] = [
        {"kid": key.kid, "secret": key.secret, "use": key.use} for key in keys
    ]
    return json.dumps({"keys": entries}, indent=1).encode()


def exchanged(keys: Sequence[Key], now_s: float) -> tuple[Key, ...]:
    """The keys as they ought to be now; the same when nothing is due."""
    return tuple(key for use in USES for key in _of_one_use(keys, use, now_s))


def _of_one_use(keys: Sequence[Key], use: Use, now_s: float) -> list[Key]:
    mine = [key for key in keys if key.use == use]
    newest = max(mine, key=lambda key: key.made_s, default=None)
    if newest is None or now_s - newest.made_s >= SIGNS_S:
        return [*mine, new_key(use, now_s)]
    if newest is not mine[0] and now_s - newest.made_s >= SPREAD_S:
        return [newest, *(key for key in mine if key is not newest)]
    spent = now_s - newest.made_s >= SPREAD_S + OUTLIVES_S
    return [newest] if newest is mine[0] and spent else mine


def signer(keys: Sequence[Key], use: Use) -> Key | None:
    """The key that signs."""
    return next((replace(key) for key in keys if key.use == use), None)
