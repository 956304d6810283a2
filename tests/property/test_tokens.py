"""Arbitrary tokens are refused with 401, and nothing else is raised."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.control.auth.keys import Key, KeysError, KeySet, parse_keys
from voiceroom_mixer.control.auth.tokens import Tokens, sign
from voiceroom_mixer.control.service import ApiError

KEYS = KeySet((Key("k", b"k" * 64, "join"), Key("a", b"a" * 64, "admin")))
TOKENS = Tokens(lambda: KEYS)
NOW_S = 1_800_000_000
GOOD = sign(KEYS, sub="Ana", room="lobby", role="speaker", now_s=NOW_S, ttl_s=60)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def refused(token: str) -> None:
    with pytest.raises(ApiError) as caught:
        TOKENS.verify(token, NOW_S)
    assert caught.value.status == 401
    with pytest.raises(ApiError):
        TOKENS.verify_signature_only(token)


@given(st.text(max_size=80) | st.text(alphabet="eyJ.abc-_=", max_size=80))
def test_any_text(token: str) -> None:
    refused(token)


@given(st.integers(0, len(GOOD) - 2), st.sampled_from("AQgw.-_é"))
def test_any_change_of_a_good_token(at: int, char: str) -> None:
    changed = GOOD[:at] + char + GOOD[at + 1 :]
    if changed != GOOD:
        refused(changed)


@given(ANY, ANY)
def test_any_header_and_payload(header: Any, payload: Any) -> None:
    parts = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode() for p in (header, payload))
    refused(".".join((*(part.rstrip("=") for part in parts), "c2ln")))


CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "sub": st.text(max_size=4) | ANY,
        "room": st.just("lobby") | ANY,
        "role": st.sampled_from(["listener", "speaker", "moderator", "admin"]) | ANY,
        "exp": st.integers(NOW_S - 100, NOW_S + 100) | ANY,
        "aud": st.just("voiceroom") | ANY,
        "jti": st.just("j") | ANY,
        "nbf": ANY,
        "iat": ANY,
    },
)


@given(CLAIMS)
def test_any_claims_under_a_good_signature(payload: dict[str, Any]) -> None:
    """A signer with a bug of its own must not break the mixer."""
    from jwt import PyJWS

    token = PyJWS().encode(json.dumps(payload).encode(), KEYS.keys[0].secret, headers={"kid": "k"})
    try:
        claims = TOKENS.verify(token, NOW_S)
    except ApiError as error:
        status = error.status
    else:
        status = 401
        assert claims.role != "admin"
        assert claims.exp_s + 60 > NOW_S
    assert status == 401


@given(st.text(max_size=60) | ANY.map(json.dumps) | ANY.map(lambda v: json.dumps({"keys": [v]})))
def test_any_key_file(text: str) -> None:
    with pytest.raises(KeysError):
        parse_keys(text, "keys.json")
