"""A pool's Secrets over more than a year: nothing that is in use stops being good."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from voiceroom_operator.admin.access import access
from voiceroom_operator.children.secrets import (
    CA_CERT_FILE,
    CA_KEY_FILE,
    KEYS_FILE,
    TLS_CERT_FILE,
    TLS_KEY_FILE,
)
from voiceroom_operator.keys import certificates, keyfile
from voiceroom_operator.keys.keyfile import OUTLIVES_S, SPREAD_S, Key
from voiceroom_operator.keys.material import Held, wanted

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0
NAME = "mixer.gold.voice"


def ca_data(held: Held) -> dict[str, bytes]:
    return {CA_CERT_FILE: held.ca.cert, CA_KEY_FILE: held.ca.key}


def pool_data(held: Held) -> dict[str, bytes]:
    pool = held.pool
    return {
        KEYS_FILE: pool.keys_json,
        TLS_CERT_FILE: pool.tls_cert,
        TLS_KEY_FILE: pool.tls_key,
        CA_CERT_FILE: pool.ca_cert,
    }


def looked_at(held: Held | None, now_s: float) -> Held:
    """As the operator leaves both Secrets after a look."""
    if held is None:
        return wanted({}, {}, NAME, now_s)
    return wanted(ca_data(held), pool_data(held), NAME, now_s)


def exchanges(days: int) -> Iterator[tuple[float, tuple[Key, ...]]]:
    """Every version of the keys, and since when it has been there."""
    keys: tuple[Key, ...] = ()
    for minute in range(0, days * 24 * 60, 5):
        now_s = NOW_S + minute * 60
        after = keyfile.exchanged(keys, now_s)
        if after != keys:
            keys = after
            yield now_s, keys


def test_a_key_is_everywhere_before_it_signs_and_outlives_its_tokens() -> None:
    history = list(exchanges(100))
    assert len(history) == 1 + 3 * 3
    first_seen: dict[str, float] = {}
    last_signed: dict[str, float] = {}
    for (at_s, keys), (until_s, after) in pairwise(history):
        for key in keys:
            first_seen.setdefault(key.kid, at_s)
        for use in keyfile.USES:
            signer = keyfile.signer(keys, use)
            assert signer is not None
            last_signed[signer.kid] = until_s
            assert first_seen[signer.kid] == NOW_S or at_s - first_seen[signer.kid] >= SPREAD_S
        for lost in {key.kid for key in keys} - {key.kid for key in after}:
            assert until_s - last_signed[lost] >= OUTLIVES_S


def test_nothing_is_due_without_a_reason() -> None:
    keys = keyfile.exchanged((), NOW_S)
    assert keyfile.exchanged(keys, NOW_S + 29 * DAY_S) == keys
    assert keyfile.exchanged(keys, NOW_S - 400 * DAY_S) == keys
    held = looked_at(None, NOW_S)
    assert looked_at(held, NOW_S + DAY_S) == held


def test_every_certificate_is_of_a_ca_that_everybody_trusts_and_none_runs_out() -> None:
    """A look every ten minutes after a change, every twelve hours otherwise."""
    held, now_s, changed_s = looked_at(None, NOW_S), NOW_S, NOW_S
    bundles = [(NOW_S, certificates.split_bundle(held.pool.ca_cert))]
    authorities = {held.ca.cert}
    while now_s < NOW_S + 500 * DAY_S:
        now_s += 600 if now_s - changed_s < 3600 else DAY_S / 2
        after = looked_at(held, now_s)
        if after != held:
            changed_s = now_s
        if after.pool.ca_cert != held.pool.ca_cert:
            bundles.append((now_s, certificates.split_bundle(after.pool.ca_cert)))
        held = after
        authorities.add(held.ca.cert)
        spread = [bundle for at_s, bundle in bundles if now_s - at_s >= SPREAD_S] or [bundles[0][1]]
        for bundle in (spread[-1], bundles[-1][1]):
            assert any(certificates.signed_by(held.pool.tls_cert, ca) for ca in bundle)
        assert not certificates.worn(held.pool.tls_cert, now_s - DAY_S)
        assert not certificates.worn(held.ca.cert, now_s - DAY_S)
    assert len(authorities) == 3


def spoilt() -> dict[str, Held]:
    """A good pair of Secrets, one entry of which a person has spoilt."""
    good = looked_at(None, NOW_S)
    bad_secret = b'{"keys": [{"kid": "a", "secret": "~", "use": "join"}]}'
    pools = {
        "keys.json is no JSON": replace(good.pool, keys_json=b"{"),
        "a key is not base64": replace(good.pool, keys_json=bad_secret),
        "no admin key": replace(good.pool, keys_json=b'{"keys": []}'),
        "no certificate": replace(good.pool, tls_cert=b"hello"),
        "another's key": replace(good.pool, tls_key=good.ca.key),
        "no bundle": replace(good.pool, ca_cert=b""),
    }
    found = {what: replace(good, pool=pool) for what, pool in pools.items()}
    found["no CA key"] = replace(good, ca=replace(good.ca, key=b""))
    found["no CA"] = replace(good, ca=certificates.Pair(b"", b""))
    return found


@pytest.mark.parametrize("what", spoilt())
def test_what_a_person_has_spoilt_is_made_anew(what: str) -> None:
    mended = looked_at(spoilt()[what], NOW_S + 60)
    found = access(mended.pool, NAME)
    assert found.context.verify_mode is ssl.CERT_REQUIRED
    assert found.bearer(NOW_S)
    assert looked_at(mended, NOW_S + 120) == mended


def test_a_secret_that_was_deleted_comes_back_with_other_keys_and_the_same_ca() -> None:
    held = looked_at(None, NOW_S)
    anew = wanted(ca_data(held), {}, NAME, NOW_S + 60)
    assert anew.ca == held.ca
    assert anew.pool.keys_json != held.pool.keys_json
    assert certificates.signed_by(anew.pool.tls_cert, held.ca.cert)
    assert certificates.signed_by(held.pool.tls_cert, anew.ca.cert)


def test_the_repr_of_a_key_tells_no_secret() -> None:
    key = keyfile.new_key("join", NOW_S)
    assert key.secret not in repr(key)
    assert key.secret not in repr(looked_at(None, NOW_S))
