from pathlib import Path

import pytest

from voiceroom_mixer.cli import values
from voiceroom_mixer.config import Endpoint, IceServer


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:8080", "::1", 8080),
        ("[::]:65535", "::", 65535),
        ("localhost:80", "127.0.0.1", 80),
    ],
)
def test_endpoint(text: str, host: str, port: int) -> None:
    assert values.endpoint(text) == Endpoint(host, port)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8080", "write HOST:PORT, such as"),
        (":8080", r"write 0\.0\.0\.0:8080 or \[::\]:8080"),
        ("::1:8080", "put an IPv6 address in brackets"),
        ("[::1:8080", "brackets"),
        ("127.0.0.1:99999", "port '99999' must be a number from 0 to 65535"),
        ("127.0.0.1:", "port '' must be"),
        ("127.0.0.1:-1", "port '-1'"),
        ("127.0.0.1:8o", "port '8o'"),
        ("127.0.0.1:٣", "port '٣'"),
        ("256.0.0.1:80", "'256.0.0.1' is not an IP address"),
        ("[localhost]:80", "'localhost' is not an IP address"),
        ("[127.0.0.1]:80", "must be an IPv6 address"),
        ("no such host:80", "cannot be looked up"),
    ],
)
def test_refuses_an_endpoint(text: str, words: str) -> None:
    with pytest.raises(values.Refused, match=words):
        values.endpoint(text)


def test_advertised() -> None:
    assert values.advertised("203.0.113.7") == "203.0.113.7"
    assert values.advertised("[2001:DB8::1]") == "2001:db8::1"
    for text, words in (
        ("0.0.0.0", "no address that anybody can send to"),
        ("224.0.0.1", "no address that anybody can send to"),
        ("203.0.113.7:7882", "without a port"),
        ("example.com", "must be an IP address"),
    ):
        with pytest.raises(values.Refused, match=words):
            values.advertised(text)


def test_networks() -> None:
    assert values.networks("10.0.0.0/8, fd00::/8,192.0.2.1,") == (
        "10.0.0.0/8",
        "fd00::/8",
        "192.0.2.1/32",
    )
    with pytest.raises(values.Refused, match="is not a CIDR such as"):
        values.networks("10.0.0.1/8")


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("stun:stun.example", IceServer("stun:stun.example")),
        ("stuns:[2001:db8::1]:5349", IceServer("stuns:[2001:db8::1]:5349")),
        (
            "turn:ana:p@ss@turn.example:3478?transport=tcp",
            IceServer("turn:turn.example:3478?transport=tcp", "ana", "p@ss"),
        ),
    ],
)
def test_ice_server(text: str, server: IceServer) -> None:
    assert values.ice_server(text) == server


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://stun.example", "must be stun:HOST"),
        ("stun:", "must be stun:HOST"),
        ("stun:a b", "must be stun:HOST"),
        ('stun:x>; rel="evil"', "must be stun:HOST"),
        ("turn:turn.example", "write turn:USER:PASSWORD@HOST"),
        ("stun:u:p@stun.example", "stun takes no user"),
    ],
)
def test_refuses_an_ice_server(text: str, words: str) -> None:
    with pytest.raises(values.Refused, match=words):
        values.ice_server(text)


def test_duration() -> None:
    assert values.duration(0, 86_400, "10m") == 600
    for text in ("25h", "ten", ""):
        with pytest.raises(values.Refused):
            values.duration(0, 86_400, text)


def test_media_processes() -> None:
    assert values.media_processes("64") == 64
    for text in ("0", "65", "-1", "two", "1.0"):
        with pytest.raises(values.Refused, match="from 1 to 64"):
            values.media_processes(text)


def test_pin_file(tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text("4711\nnot this\n")
    assert values.pin_file(f"lobby={file}") == ("lobby", "4711")
    file.write_text("471")
    for text, words in (
        (f"lobby={file}", "a PIN of 4 to 64 characters"),
        ("lobby", "must be ROOM=FILE"),
        ("=x", "must be ROOM=FILE"),
        (f"lobby={tmp_path}/none", "none: No such file"),
    ):
        with pytest.raises(values.Refused, match=words):
            values.pin_file(text)
