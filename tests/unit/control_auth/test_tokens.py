import base64
import json
from typing import Any

import jwt
import pytest

from voiceroom_mixer.control.auth.keys import Key, KeysError, KeySet
from voiceroom_mixer.control.auth.tokens import Tokens, bearer, sign
from voiceroom_mixer.control.service import ApiError, Claims

JOIN = Key("join-1", b"j" * 64, "join")
OLD = Key("join-0", b"o" * 32, "join")
ADMIN = Key("admin-1", b"a" * 32, "admin")
KEYS = KeySet((JOIN, OLD, ADMIN))
NOW_S = 1_800_000_000.5
TOKENS = Tokens(lambda: KEYS)
GOOD: dict[str, Any] = {
    "sub": "Ana",
    "room": "lobby",
    "role": "speaker",
    "exp": int(NOW_S) + 60,
    "aud": "voiceroom",
    "jti": "t1",
}


def encode(key: Key = JOIN, *, kid: str | None = None, **changes: Any) -> str:
    payload = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    headers = {"kid": key.kid if kid is None else kid}
    return jwt.encode(payload, key.secret, algorithm="HS256", headers=headers)


def refusal(token: str, now_s: float = NOW_S) -> ApiError:
    with pytest.raises(ApiError) as caught:
        TOKENS.verify(token, now_s)
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer ")
    return caught.value


def test_what_is_signed_is_verified() -> None:
    token = sign(KEYS, sub="Ana", room="lobby", role="speaker", now_s=NOW_S, ttl_s=60, jti="t1")
    assert TOKENS.verify(token, NOW_S) == Claims("Ana", "lobby", "speaker", int(NOW_S) + 60, "t1")
    assert jwt.get_unverified_header(token)["kid"] == "join-1"


def test_every_token_has_a_jti_of_its_own() -> None:
    one, two = (
        sign(KEYS, sub="Ana", room="lobby", role="speaker", now_s=NOW_S, ttl_s=60) for _ in "ab"
    )
    assert TOKENS.verify(one, NOW_S).jti != TOKENS.verify(two, NOW_S).jti


def test_an_older_key_still_verifies_and_a_removed_one_does_not() -> None:
    token = encode(OLD)
    assert TOKENS.verify(token, NOW_S).jti == "t1"
    with pytest.raises(ApiError, match="names no key"):
        Tokens(lambda: KeySet((JOIN, ADMIN))).verify(token, NOW_S)


def test_sixty_seconds_of_leeway() -> None:
    token = encode()
    assert TOKENS.verify(token, GOOD["exp"] + 59.9).sub == "Ana"
    error = refusal(token, GOOD["exp"] + 60)
    assert error.code == "expired_token"
    assert error.message == "the token ran out 60 s ago: get a new link"


def test_the_location_of_a_leg_outlives_the_token() -> None:
    assert TOKENS.verify_signature_only(encode(exp=1)).sub == "Ana"
    with pytest.raises(ApiError):
        TOKENS.verify_signature_only(encode(exp=1) + "x")


def test_only_an_admin_key_makes_an_admin() -> None:
    assert "admin" in refusal(encode(role="admin")).message
    assert TOKENS.verify(encode(ADMIN, role="admin"), NOW_S).role == "admin"
    signed = sign(KEYS, sub="op", room="lobby", role="admin", now_s=NOW_S, ttl_s=60)
    assert jwt.get_unverified_header(signed)["kid"] == "admin-1"
    with pytest.raises(KeysError):
        sign(KeySet((JOIN,)), sub="op", room="lobby", role="admin", now_s=NOW_S, ttl_s=60)


@pytest.mark.parametrize("claim", list(GOOD))
def test_every_claim_is_needed(claim: str) -> None:
    changes: dict[str, Any] = {claim: ...}
    error = refusal(encode(**changes))
    assert error.code == "invalid_token"
    assert claim in error.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"aud": "other"}, "Audience"),
        ({"role": "owner"}, "role must be one of listener, speaker, moderator, admin"),
        ({"role": ["speaker"]}, "role must be"),
        ({"room": "../x"}, "room must be"),
        ({"room": "a" * 64}, "room must be"),
        ({"sub": ""}, "sub must be"),
        ({"sub": "x" * 129}, "sub must be"),
        ({"sub": "a\nb"}, "sub must hold no control characters"),
        ({"jti": ""}, "jti must be"),
        ({"exp": "soon"}, "exp and nbf"),
        ({"exp": 1e300}, "exp and nbf"),
        ({"exp": True}, "exp and nbf"),
        ({"exp": -1}, "exp and nbf"),
        ({"nbf": "x"}, "exp and nbf"),
        ({"nbf": int(NOW_S) + 62}, "not good yet"),
    ],
)
def test_refuses_claims(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(encode(**changes)).message


def test_a_name_may_be_in_any_script() -> None:
    name = "علی‌رضا 👩‍🚀"
    assert TOKENS.verify(encode(sub=name), NOW_S).sub == name


def test_sign_refuses_what_verify_would() -> None:
    with pytest.raises(ValueError, match="room must be"):
        sign(KEYS, sub="Ana", room="Lobby", role="speaker", now_s=NOW_S, ttl_s=60)


def segment(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\udc80",
        "é.é.é",
        "x" * 5000,
        encode()[:-2],
        encode(kid="nobody"),
        encode(kid="admin-1"),
        f"{segment({'alg': 'none', 'kid': 'join-1'})}.{segment(GOOD)}.",
        f"{segment({'alg': 'HS512', 'kid': 'join-1'})}.{segment(GOOD)}.eA",
        f"{segment({'alg': 'HS256'})}.{segment(GOOD)}.eA",
        f"{segment({'alg': 'HS256', 'kid': 7})}.{segment(GOOD)}.eA",
        f"{segment(b'[' * 2000)}.{segment(GOOD)}.eA",
        f"{segment([])}.{segment([])}.eA",
        jwt.encode(GOOD, JOIN.secret, algorithm="HS512", headers={"kid": "join-1"}),
    ],
    ids=lambda token: ascii(token)[:24],
)
def test_refuses_forgeries_and_rubbish(token: str) -> None:
    assert refusal(token).code == "invalid_token"


def test_bearer() -> None:
    assert bearer(None) is None
    assert bearer("Bearer a.b.c") == "a.b.c"
    assert bearer("bearer  a.b.c ") == "a.b.c"
    for header in ("", "Bearer", "Bearer  ", "Basic eDp5", "a.b.c"):
        with pytest.raises(ApiError, match="Bearer TOKEN"):
            bearer(header)
