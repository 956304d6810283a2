import os
import subprocess
import sys
from pathlib import Path

import pytest

from voiceroom_mixer.cli.arguments import parse
from voiceroom_mixer.cli.run import configure, notes
from voiceroom_mixer.config import CONFIG_FD_ENV, Endpoint, RunConfig, load
from voiceroom_mixer.control.auth.keyfile import ensure
from voiceroom_mixer.control.auth.pin import PinDoor

EXAMPLES = Path(__file__).parents[3] / "examples"
LOBBY = str(EXAMPLES / "lobby.yaml")
WITH_PIN = """
apiVersion: voiceroom.dev/v1alpha1
kind: VoiceRoom
metadata: {name: vault}
spec: {access: {pinSecretRef: {name: pins, key: vault}}}
"""


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def config(*options: str, room: str = LOBBY) -> RunConfig:
    return configure(parse(["run", room, *options]))


def refusal(capsys: pytest.CaptureFixture[str], *options: str, room: str = LOBBY) -> str:
    with pytest.raises(SystemExit) as caught:
        config(*options, room=room)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_defaults(tmp_path: Path) -> None:
    found = config()
    assert (found.http, found.udp) == (Endpoint("127.0.0.1", 8080), Endpoint("0.0.0.0", 7882))
    assert (found.admin, found.metrics, found.tls, found.advertise) == (None, None, None, ())
    assert found.drain_deadline_s == 600
    assert (found.media_processes, found.log_format) == (1, "text")
    assert found.keys == str(tmp_path / "state" / "voiceroom" / "keys.json")
    assert "10.0.0.0/8" in found.rtp_allow
    assert "::1/128" in found.rtp_allow
    assert [room["name"] for room in found.rooms] == ["lobby"]
    assert found.rooms[0]["spec"]["audio"]["frameMs"] == 20
    assert found.rooms[0]["pinHash"] == ""


def test_every_option(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("4711\n")
    keys = tmp_path / "keys.json"
    ensure(keys)
    found = config(
        *("--http", "[::1]:80", "--udp", "[::]:9000", "--admin", "127.0.0.1:1"),
        *("--metrics", "127.0.0.1:2", "--advertise", "192.0.2.1", "--advertise", "2001:db8::1"),
        *("--keys", str(keys), "--trusted-proxies", "10.0.0.0/8,fd00::/8", "--rtp-allow", "::/0"),
        *("--ice-server", "stun:a", "--ice-server", "turn:u:p@b", "--drain-deadline", "0s"),
        *("--media-processes", "2", "--log-format", "json", "--pin", f"lobby={pin}"),
    )
    assert (found.http.port, found.udp.port) == (80, 9000)
    assert (found.admin, found.metrics) == (Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))
    assert found.advertise == ("192.0.2.1", "2001:db8::1")
    assert found.keys == str(keys)
    assert found.trusted_proxies == ("10.0.0.0/8", "fd00::/8")
    assert found.rtp_allow == ("::/0",)
    assert [server.url for server in found.ice_servers] == ["stun:a", "turn:b"]
    assert (found.drain_deadline_s, found.media_processes, found.log_format) == (0, 2, "json")
    PinDoor().check("4711", found.rooms[0]["pinHash"], "192.0.2.1", 0)


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_examples_run(example: str) -> None:
    assert config(room=str(EXAMPLES / example)).rooms


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--http", "8080"], "run: --http: '8080' has no port: write HOST:PORT"),
        (["--http", "127.0.0.1:x"], "--http: port 'x'"),
        (["--udp", "0.0.0.0:65535", "--media-processes", "2"], "--udp: 2 media processes"),
        (["--advertise", "2001:db8::1"], "is not served by --udp 0.0.0.0:7882: use --udp [::]"),
        (["--tls-cert", LOBBY], "--tls-cert: needs --tls-key FILE as well"),
        (["--tls-key", LOBBY], "--tls-key: needs --tls-cert FILE as well"),
        (["--tls-cert", LOBBY, "--tls-key", LOBBY], "are no PEM certificate and its key"),
        (["--tls-cert", "/none", "--tls-key", LOBBY], "--tls-cert: /none: No such file"),
        (["--metrics", "127.0.0.1:8080"], "--metrics: 127.0.0.1:8080 is --http's"),
        (["--keys", "/none"], "--keys: /none: cannot be read"),
        (["--keys", LOBBY], "lobby.yaml: not JSON"),
        (["--drain-deadline", "25h"], "--drain-deadline: 25h must be from 0s to 24h"),
        (["--log-format", "xml"], "--log-format: invalid choice: 'xml'"),
        (["--htp", "127.0.0.1:1"], "unrecognized arguments: --htp"),
        (["--ht", "127.0.0.1:1"], "unrecognized arguments: --ht"),
    ],
)
def test_wrong_options(capsys: pytest.CaptureFixture[str], options: list[str], words: str) -> None:
    text = refusal(capsys, *options)
    assert text.startswith("voiceroom-mixer")
    assert words in text
    assert "--help" in text


def test_wrong_rooms(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "room.yaml"
    path.write_text(WITH_PIN.replace("{access", "{audio: {frameMs: 25}, access"))
    assert refusal(capsys, room=str(path)) == (
        f"{path}: spec.audio.frameMs: must be one of 10, 20, 40 (got 25)\n"
    )
    assert "none.yaml: cannot be read: No such file" in refusal(capsys, room="none.yaml")
    path.write_bytes(b"\xff")
    assert "is not UTF-8 text" in refusal(capsys, room=str(path))
    assert "the room lobby is in" in refusal(capsys, LOBBY)


def test_a_pin_in_a_secret_needs_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, pin = tmp_path / "vault.yaml", tmp_path / "pin"
    path.write_text(WITH_PIN)
    pin.write_text("4711")
    assert "give the PIN with --pin vault=FILE" in refusal(capsys, room=str(path))
    assert config("--pin", f"vault={pin}", room=str(path)).rooms[0]["pinHash"]
    twice = ["--pin", f"vault={pin}", "--pin", f"vault={pin}"]
    assert "--pin: the room vault is given twice" in refusal(capsys, *twice, room=str(path))
    assert "there is no room vault; there is lobby" in refusal(capsys, "--pin", f"vault={pin}")


def test_a_note_where_browsers_will_refuse_the_microphone() -> None:
    assert list(notes(config())) == []
    assert list(notes(config("--http", "[::1]:80"))) == []
    assert "--tls-cert" in "".join(notes(config("--http", "0.0.0.0:80")))
    assert list(notes(config("--http", "0.0.0.0:80", "--trusted-proxies", "10.0.0.0/8"))) == []


def test_run_becomes_the_keeper(tmp_path: Path) -> None:
    """The very process, with the configuration in a descriptor that it can read."""
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    code = (
        "import os\nfrom voiceroom_mixer import __main__, config\n"
        "os.execv = lambda path, argv: print(argv[1:], config.load().rooms[0]['name'])\n"
        f"__main__.main(['run', {LOBBY!r}])"
    )
    done = run_python("-P", "-c", code, cwd=tmp_path)
    assert done.stdout.startswith("['-P', '-m', 'voiceroom_mixer.keeper'] lobby\n"), done.stderr


def test_run_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom voiceroom_mixer import __main__\n"
        "os.execv = lambda *_: print(sorted(set(sys.modules) & {'numpy', 'aiohttp', 'aiortc',"
        " 'asyncio', 'jwt', 'cryptography', 'ssl', 'prometheus_client'}))\n"
        f"__main__.main(['run', {LOBBY!r}])"
    )
    assert run_python("-c", code, cwd=tmp_path).stdout.startswith("[]\n")


def run_python(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "XDG_STATE_HOME": str(cwd)}
    return subprocess.run(
        [sys.executable, *argv], cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )


def test_nothing_is_handed_over_by_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONFIG_FD_ENV, raising=False)
    config()
    with pytest.raises(ValueError, match="is not set"):
        load()
