from pathlib import Path

import pytest

from voiceroom_mixer.__main__ import main
from voiceroom_mixer.cli.arguments import parse
from voiceroom_mixer.cli.token import token
from voiceroom_mixer.control.auth.keyfile import KeyFile, load
from voiceroom_mixer.control.auth.tokens import Tokens
from voiceroom_mixer.control.service import Claims

NOW_S = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def claims(tmp_path: Path, text: str) -> Claims:
    keys = KeyFile(tmp_path / "voiceroom" / "keys.json")
    return Tokens(keys.current).verify(text, NOW_S)


def make(*options: str) -> str:
    args = parse(["token", "--room", "lobby", "--identity", "Ana", *options])
    return token(args, NOW_S)


def test_a_speaker_for_an_hour(tmp_path: Path) -> None:
    found = claims(tmp_path, make())
    assert (found.sub, found.room, found.role) == ("Ana", "lobby", "speaker")
    assert found.exp_s == NOW_S + 3600


@pytest.mark.parametrize("role", ["listener", "speaker", "moderator", "admin"])
def test_every_role(tmp_path: Path, role: str) -> None:
    found = claims(tmp_path, make("--role", role, "--ttl", "90s"))
    assert (found.role, found.exp_s) == (role, NOW_S + 90)


def test_the_token_alone_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main(["token", "--room", "lobby", "--identity", "Ana"])
    captured = capsys.readouterr()
    assert captured.err == ""
    keys = load(tmp_path / "voiceroom" / "keys.json")
    line = captured.out.removesuffix("\n")
    assert Tokens(lambda: keys).verify_signature_only(line).sub == "Ana"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--room", "Lobby"], "token: --room: must be the name of a room"),
        (["--identity", ""], "token: --identity: must be 1 to 128 characters"),
        (["--role", "owner"], "token: --role: invalid choice"),
        (["--ttl", "0s"], "token: --ttl: 0s must be from 1s to 8760h"),
        (["--keys", "/none.json"], "token: --keys: /none.json: cannot be read"),
    ],
)
def test_wrong_options(capsys: pytest.CaptureFixture[str], options: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as caught:
        make(*options)
    captured = capsys.readouterr()
    assert caught.value.code == 2
    assert captured.out == ""
    assert words in captured.err


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, words in (
        (["token", "--room", "a"], "--identity"),
        (["run"], "ROOM.yaml"),
        ([], "C"),
    ):
        with pytest.raises(SystemExit, match="2"):
            parse(argv)
        assert f"required: {words}" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--help"], ["run", "--help"], ["token", "--help"]])
def test_help(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse(argv)
    assert "usage: voiceroom-mixer" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse(["--version"])
    assert capsys.readouterr().out.startswith("voiceroom-mixer 0.")
