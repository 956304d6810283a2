import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voiceroom_mixer.control.auth.keyfile import KeyFile, default_path, ensure, load
from voiceroom_mixer.control.auth.keys import KeysError


def test_the_users_own_file() -> None:
    assert str(default_path({"XDG_STATE_HOME": "/s", "HOME": "/h"})) == "/s/voiceroom/keys.json"
    own = "/h/.local/state/voiceroom/keys.json"
    assert str(default_path({"HOME": "/h"})) == own
    assert str(default_path({"XDG_STATE_HOME": "relative", "HOME": "/h"})) == own
    with pytest.raises(KeysError, match="--keys FILE"):
        default_path({})


def test_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "voiceroom" / "keys.json"
    keys = ensure(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [key.use for key in keys.keys] == ["join", "admin"]
    assert ensure(path) == keys
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"]


def test_all_who_race_to_make_it_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ensure(path), range(8)))
    assert all(keys == found[0] for keys in found)
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_two_made_apart_differ(tmp_path: Path) -> None:
    assert ensure(tmp_path / "a.json") != ensure(tmp_path / "b.json")


def test_what_cannot_be_read_or_made_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeysError, match=r"none\.json: cannot be read: No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(KeysError, match=r"keys\.json: cannot be made"):
        ensure(tmp_path / "file" / "keys.json")
    (tmp_path / "latin").write_bytes(b"\xff")
    with pytest.raises(KeysError, match="latin: not UTF-8"):
        load(tmp_path / "latin")
    (tmp_path / "huge").write_bytes(b" " * 300_000)
    with pytest.raises(KeysError, match="huge: larger than"):
        load(tmp_path / "huge")


def rewrite(path: Path, text: str, at_ns: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(at_ns, at_ns))


def test_a_rotation_is_seen_at_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    ensure(path)
    file = KeyFile(path)
    (old, admin) = json.loads(path.read_text())["keys"]
    rewrite(path, json.dumps({"keys": [old | {"kid": "new"}, old, admin]}), 1)
    keys = file.current()
    assert keys.signer("speaker").kid == "new"
    assert keys.find(old["kid"]) is not None


def test_a_broken_rotation_keeps_the_old_keys_and_is_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = ensure(path)
    file = KeyFile(path)
    rewrite(path, "{", 1)
    assert file.current() == keys
    assert file.current() == keys
    assert file.reload_failures == 1
    assert "not JSON" in file.last_error
    path.unlink()
    assert file.current() == keys
    ensure(path)
    assert file.current() != keys
    assert file.last_error == ""
