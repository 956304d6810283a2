"""The probe's own door, over loopback."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from voiceroom_mixer.clockprobe.door import MAX_CONNECTIONS, Door
from voiceroom_mixer.config import Endpoint

HEALTH = {"alive": True}


@pytest.fixture
def door() -> Iterator[Door]:
    opened = Door(Endpoint("127.0.0.1", 0), lambda open_: f"openmetrics {open_}\n", lambda: HEALTH)
    opened.open()
    yield opened
    opened.close()
    HEALTH["alive"] = True


def get(door: Door, path: str, accept: str = "*/*") -> tuple[int, str, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{door.port}{path}")
    request.add_header("Accept", accept)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def test_metrics_come_in_the_format_that_is_asked_for(door: Door) -> None:
    status, kind, text = get(door, "/metrics")
    assert (status, kind.partition(";")[0], text) == (200, "text/plain", "openmetrics False\n")
    accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    status, kind, text = get(door, "/metrics?x=1", accept)
    assert (status, text) == (200, "openmetrics True\n")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")


def test_health_is_a_status_and_a_word(door: Door) -> None:
    assert get(door, "/healthz") == (200, "application/json", '{"alive": true}')
    HEALTH["alive"] = False
    assert get(door, "/healthz")[0] == 503


def test_anything_else_is_not_there(door: Door) -> None:
    assert get(door, "/")[0] == 404


def test_a_connection_too_many_is_closed_and_frees_nobody_elses_place(door: Door) -> None:
    with ExitStack() as opened:
        silent = [
            opened.enter_context(socket.create_connection(("127.0.0.1", door.port), 10))
            for _ in range(MAX_CONNECTIONS + 1)
        ]
        assert silent[-1].recv(1) == b""
        silent[0].sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert silent[0].recv(15) == b"HTTP/1.0 200 OK"


def test_a_port_that_is_taken_is_an_error(door: Door) -> None:
    with pytest.raises(OSError, match="in use"):
        Door(Endpoint("127.0.0.1", door.port), lambda _: "", dict)
