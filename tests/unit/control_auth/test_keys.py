import base64
import json
from typing import Any

import pytest

from voiceroom_mixer.control.auth.keys import Key, KeysError, KeySet, parse_keys

SECRET = base64.b64encode(bytes(range(32))).decode()


def entry(**changes: Any) -> dict[str, Any]:
    return {"kid": "k1", "secret": SECRET, "use": "join"} | changes


def parse(*entries: Any) -> KeySet:
    return parse_keys(json.dumps({"keys": list(entries)}), "keys.json")


def test_the_first_key_of_a_use_signs_and_all_are_found() -> None:
    keys = parse(entry(), entry(kid="k2"), entry(kid="a1", use="admin"))
    assert keys.signer("speaker").kid == "k1"
    assert keys.signer("admin").kid == "a1"
    assert keys.find("k2") == Key("k2", bytes(range(32)), "join")
    assert keys.find("k3") is None


def test_without_an_admin_key_no_admin_token_can_be_made() -> None:
    with pytest.raises(KeysError, match='no key with "use": "admin"'):
        parse(entry()).signer("admin")


def test_a_key_does_not_show_its_secret() -> None:
    assert repr(parse(entry()).keys[0]) == "Key(kid='k1', use='join')"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "keys.json: not JSON"),
        ("[" * 100_000, "keys.json: not JSON"),
        ("[]", 'must be {"keys": [...]}'),
        ('{"keys": [], "more": 1}', "and nothing else"),
        ('{"keys": {}}', "a list of 1 to 64 keys"),
        ('{"keys": []}', "a list of 1 to 64 keys"),
        ('{"keys": [7]}', "keys[0]: must be an object"),
    ],
)
def test_refuses_a_file(text: str, words: str) -> None:
    with pytest.raises(KeysError) as caught:
        parse_keys(text, "keys.json")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kid": ""}, "keys[0].kid: must be 1 to 128"),
        ({"kid": 5}, "keys[0].kid"),
        ({"kid": "a\n"}, "keys[0].kid"),
        ({"secret": "?"}, "keys[0].secret: must be base64"),
        ({"secret": None}, "openssl rand -base64 32"),
        ({"secret": base64.b64encode(b"short").decode()}, "32 to 1024 bytes (got 5)"),
        ({"secret": "é"}, "keys[0].secret: must be base64"),
        ({"use": "both"}, 'keys[0].use: must be "join" or "admin"'),
        ({"use": "admin"}, 'at least one must have "use": "join"'),
        ({"kind": "x"}, "keys[0].kind: unknown field"),
    ],
)
def test_refuses_a_key(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(KeysError) as caught:
        parse(entry(**changes))
    assert words in str(caught.value)


def test_refuses_one_kid_for_two_keys() -> None:
    with pytest.raises(KeysError, match="two keys have the kid 'k1'"):
        parse(entry(), entry(use="admin"))
