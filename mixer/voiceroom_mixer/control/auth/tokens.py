"""Join tokens: JWT HS256 (RFC 7519) with the claims of contract §3. Time is an argument."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, get_args

import jwt

from voiceroom_mixer.control.auth.keys import Key, KeySet
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import Role

AUDIENCE: Final = "voiceroom"
ALGORITHM: Final = "HS256"
LEEWAY_S: Final = 60
"""Clocks of those who sign and of those who check differ by this much at most."""
MAX_TOKEN_CHARS: Final = 4096
MAX_IDENTITY_CHARS: Final = 128
MAX_EXP_S: Final = 1 << 53
_REQUIRED: Final = ["sub", "room", "role", "exp", "aud", "jti"]
_ROOM: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OPTIONS: Final[Any] = {
    "require": _REQUIRED,
    "verify_exp": False,  # checked below, against the time that we are given
    "verify_nbf": False,
    "verify_iat": False,
}


def invalid(message: str, code: Literal["invalid_token", "expired_token"]) -> ApiError:
    """A 401 with the challenge of RFC 6750 §3."""
    challenge = 'Bearer realm="voiceroom", error="invalid_token"'
    return ApiError(401, code, message, headers={"WWW-Authenticate": challenge})


def bearer(authorization: str | None) -> str | None:
    """The token of an ``Authorization`` header; None without one. Raises ``ApiError`` 401."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise invalid("Authorization must be: Bearer TOKEN", "invalid_token")
    return token.strip()


def sign(
    keys: KeySet, *, sub: str, room: str, role: Role, now_s: float, ttl_s: float, jti: str = ""
) -> str:
    """A token. Raises ``KeysError`` without a key for ``role``, ``ValueError`` for bad claims."""
    key = keys.signer(role)
    exp = int(now_s + ttl_s)
    payload = {"sub": sub, "room": room, "role": role, "exp": exp, "aud": AUDIENCE}
    payload["jti"] = jti or secrets.token_urlsafe(12)
    wrong = _wrong_claim(payload)
    if wrong:
        raise ValueError(wrong)
    return jwt.encode(payload, key.secret, algorithm=ALGORITHM, headers={"kid": key.kid})


class Tokens:
    """Verifies tokens against the keys that hold at that moment."""

    def __init__(self, keys: Callable[[], KeySet]) -> None:
        self._keys = keys

    def verify(self, token: str, now_s: float) -> Claims:
        """The claims of a token that is good at ``now_s`` (wall seconds).

        Raises ``ApiError`` 401 ``invalid_token`` or ``expired_token``.
        """
        payload = self._payload(token)
        if payload["exp"] + LEEWAY_S <= now_s:
            ago = int(now_s - payload["exp"])
            raise invalid(f"the token ran out {ago} s ago: get a new link", "expired_token")
        if payload.get("nbf", now_s) > now_s + LEEWAY_S:
            raise invalid("the token is not good yet: are both clocks right?", "invalid_token")
        return _claims(payload)

    def verify_signature_only(self, token: str) -> Claims:
        """The claims whatever the time: for the Location of a leg, after the token's exp too."""
        return _claims(self._payload(token))

    def _payload(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_CHARS:
            raise invalid(f"the token is longer than {MAX_TOKEN_CHARS} characters", "invalid_token")
        key = self._key(token)
        payload = _decode(token, key)
        wrong = _wrong_claim(payload)
        if wrong:
            raise invalid(wrong, "invalid_token")
        if payload["role"] == "admin" and key.use != "admin":
            raise invalid('role admin takes a key with "use": "admin"', "invalid_token")
        return payload

    def _key(self, token: str) -> Key:
        kid = _header(token).get("kid")
        key = self._keys().find(kid) if isinstance(kid, str) else None
        if key is None:
            raise invalid("the token's kid names no key of this mixer", "invalid_token")
        return key


def _header(token: str) -> Mapping[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise invalid("the token is not a JWT", "invalid_token") from error


def _decode(token: str, key: Key) -> dict[str, Any]:
    try:
        decoded: dict[str, Any] = jwt.decode(
            token, key.secret, algorithms=[ALGORITHM], audience=AUDIENCE, options=_OPTIONS
        )
    except jwt.PyJWTError as error:
        raise invalid(f"the token is refused: {error}", "invalid_token") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise invalid("the token is not a JWT", "invalid_token") from error
    return decoded


def _wrong_claim(payload: Mapping[str, Any]) -> str | None:
    """Which claim is not as contract §3 has it."""
    if payload["role"] not in get_args(Role):
        return f"role must be one of {', '.join(get_args(Role))}"
    if not isinstance(payload["room"], str) or not _ROOM.fullmatch(payload["room"]):
        return "room must be the name of a room: a DNS label of at most 63 characters"
    for name in ("sub", "jti"):
        value = payload[name]
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_IDENTITY_CHARS:
            return f"{name} must be 1 to {MAX_IDENTITY_CHARS} characters"
        if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
            return f"{name} must hold no control characters"
    if not _is_time(payload["exp"]) or not _is_time(payload.get("nbf", 0)):
        return "exp and nbf must be seconds since 1970"
    return None


def _is_time(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= MAX_EXP_S  # type: ignore[operator]


def _claims(payload: Mapping[str, Any]) -> Claims:
    return Claims(
        sub=payload["sub"],
        room=payload["room"],
        role=payload["role"],
        exp_s=int(payload["exp"]),
        jti=payload["jti"],
    )
