"""The links that a run prints."""

from __future__ import annotations

import io

import pytest

from fakes.door import KEYS, make_config
from voiceroom_mixer.config import Endpoint, TlsFiles
from voiceroom_mixer.control.auth.tokens import Tokens
from voiceroom_mixer.control.welcome import Welcome, links

NOW_S = 1_800_000_000.0


def printed(**changes: object) -> list[str]:
    config = make_config(**changes)
    return [line for line in links(config, KEYS, 8080, NOW_S) if "://" in line]


def test_a_speakers_and_a_listeners_link_for_every_room_on_lines_of_their_own() -> None:
    lines = printed()
    assert len(lines) == 4
    tokens = Tokens(lambda: KEYS)
    claims = []
    for line in lines:
        base, _, token = line.partition("?token=")
        verified = tokens.verify(token, NOW_S)
        assert base == f"http://127.0.0.1:8080/rooms/{verified.room}"
        assert verified.exp_s == NOW_S + 90
        claims.append((verified.room, verified.role))
    assert claims == [
        ("lobby", "speaker"),
        ("lobby", "listener"),
        ("hall", "speaker"),
        ("hall", "listener"),
    ]


@pytest.mark.parametrize(
    ("host", "advertise", "start"),
    [
        ("0.0.0.0", (), "http://127.0.0.1:8080/"),
        ("0.0.0.0", ("192.0.2.7",), "http://192.0.2.7:8080/"),
        ("::", (), "http://[::1]:8080/"),
        ("::1", (), "http://[::1]:8080/"),
        ("mixer.example", (), "http://mixer.example:8080/"),
    ],
)
def test_the_link_names_an_address_that_can_be_opened(
    host: str, advertise: tuple[str, ...], start: str
) -> None:
    lines = printed(http=Endpoint(host, 1), advertise=advertise)
    assert all(line.startswith(start) for line in lines)


def test_with_a_certificate_the_links_are_https() -> None:
    assert printed(tls=TlsFiles("cert", "key"))[0].startswith("https://")


def test_the_links_are_printed_once_and_only_when_ready() -> None:
    stream, ready = io.StringIO(), False
    welcome = Welcome(stream, lambda: iter(("a", "b")), lambda: ready)
    welcome.look(0)
    assert stream.getvalue() == ""
    ready = True
    welcome.look(0)
    welcome.look(0)
    assert stream.getvalue() == "a\nb\n"
