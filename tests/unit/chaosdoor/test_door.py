"""The door as a whole, over HTTP: who is let in, and what is answered."""

from __future__ import annotations

import argparse
import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from fakes.nodes import UID, FakeCgroups, FakeKube, mixer_pod
from voiceroom_chaosdoor.__main__ import NETEM_OFF, Door
from voiceroom_chaosdoor.journal import Journal
from voiceroom_chaosdoor.means import Means, SwitchedOff, Throttle
from voiceroom_chaosdoor.order import Kind
from voiceroom_chaosdoor.quota import Quota

PATH = f"pod{UID}/c0ffee"
MINE = "/v1/pods/voice/stage-0/chaos"
ORDER = {"kind": "throttle", "for": "60s", "percent": 50}
SECRET = {"data": {"token": b64encode(b"sesame").decode()}}


@dataclass
class Running:
    """A door that serves."""

    door: Door
    kube: FakeKube
    cgroups: FakeCgroups
    journal: Journal
    thread: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.door.bearer.refresh()
        self.thread = Thread(target=self.door.run)
        self.thread.start()

    def ask(
        self, method: str, path: str, body: Any = None, token: str = "sesame", at: int = 0
    ) -> tuple[int, str]:
        """Status and text; ``at``: 0 = orders, 1 = figures."""
        port = self.door.listeners[at].port
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
        request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def close(self) -> None:
        """As by SIGTERM."""
        self.door.ask_to_end()
        self.thread.join()
        self.journal.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    kube = FakeKube({("voice", "stage-0"): mixer_pod()})
    kube.secrets["system", "voiceroom-chaos-door"] = SECRET
    cgroups, journal = FakeCgroups({PATH: Quota(50_000, 100_000)}), Journal(tmp_path)
    here = ("127.0.0.1", 0)
    args = argparse.Namespace(node="here", namespace="system", listen=here, metrics=here)
    means: dict[Kind, Means] = {"throttle": Throttle(cgroups), "netem": SwitchedOff(NETEM_OFF)}
    made = Running(Door(kube, journal, means, args), kube, cgroups, journal)
    yield made
    made.close()


def test_an_order_is_carried_out_shown_and_ended(running: Running) -> None:
    status, text = running.ask("POST", MINE, ORDER)
    assert (status, json.loads(text)["active"]["percent"]) == (201, 50)
    assert running.cgroups.quotas[PATH] == Quota(25_000, 100_000)
    assert json.loads(running.ask("GET", MINE)[1])["active"]["kind"] == "throttle"
    assert running.ask("DELETE", MINE) == (200, '{"active": null}\n')
    assert running.cgroups.quotas[PATH] == Quota(50_000, 100_000)


def test_a_signal_ends_it_and_nothing_stays(running: Running) -> None:
    running.ask("POST", MINE, ORDER)
    running.door.ask_to_end()
    running.thread.join()
    assert running.cgroups.quotas[PATH] == Quota(50_000, 100_000)
    assert [event["reason"] for event in running.kube.events] == ["ChaosBegan", "ChaosOver"]
    assert running.kube.events[0]["involvedObject"]["uid"] == UID


@pytest.mark.parametrize("token", ["", "guess", "sesame "[:-2]])
def test_nobody_is_let_in_without_the_token(running: Running, token: str) -> None:
    status, text = running.ask("POST", MINE, ORDER, token)
    assert (status, json.loads(text)["error"]) == (401, "unauthorized")
    assert running.cgroups.quotas[PATH] == Quota(50_000, 100_000)


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        (MINE, b"{", 400, "bad_json"),
        (MINE, [], 400, "bad_json"),
        (MINE, b" " * 5_000, 413, "too_large"),
        (MINE, ORDER | {"percent": 0}, 422, "invalid"),
        (MINE, {"kind": "netem", "for": "9s", "delayMs": 9}, 404, "chaos_off"),
        ("/v1/pods/voice/nobody/chaos", ORDER, 404, "no_pod"),
        ("/v1/pods/../chaos", ORDER, 404, "not_found"),
        ("/v1/pods/voice/a%2fb/chaos", ORDER, 404, "not_found"),
    ],
)
def test_what_is_wrong_is_answered(
    running: Running, path: str, body: Any, status: int, error: str
) -> None:
    found, text = running.ask("POST", path, body)
    assert (found, json.loads(text)["error"]) == (status, error)


def test_without_the_api_server_nothing_is_begun_and_all_is_ended(running: Running) -> None:
    running.ask("POST", MINE, ORDER)
    running.kube.down = True
    assert running.ask("DELETE", MINE)[0] == 200
    assert running.cgroups.quotas[PATH] == Quota(50_000, 100_000)
    status, text = running.ask("POST", MINE, ORDER)
    assert status == 503
    assert "does not answer" in text


def test_figures_and_health_take_no_token(running: Running) -> None:
    running.ask("POST", MINE, ORDER)
    status, text = running.ask("GET", "/metrics", token="", at=1)
    assert status == 200
    assert 'voiceroom_chaos_node_active{kind="throttle"} 1' in text
    assert 'voiceroom_chaos_node_begun_total{kind="netem"} 0' in text
    assert "voiceroom_chaos_node_events_dropped_total 0" in text
    assert running.ask("GET", "/healthz", at=1) == (200, '{"alive": true}\n')
    assert running.ask("GET", "/readyz", at=1) == (200, '{"ready": true}\n')
    assert running.ask("GET", MINE, at=1)[0] == 404
