"""``diagnose``, and how a pod's report is had."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
import yaml

from fakes.door import segment
from fakes.kubecluster import FakeCluster, room
from fakes.typed import NOW, Typed
from voiceroom_kubectl import pressure
from voiceroom_kubectl.cluster import ClusterError, NotFound, Object
from voiceroom_kubectl.doctor import examine, pods_of
from voiceroom_kubectl.report import Call, ask, report
from voiceroom_mixer.control.export import defences
from voiceroom_mixer.core.defend import measures
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.state import stats
from voiceroom_operator.keys.certificates import new_ca, new_certificate

NOW_S = NOW.timestamp()
REPORT: dict[str, Any] = {
    "timing": {
        "windows": [{"latenessP99Ms": 41.5}],
        "verdict": "starved",
        "evidence": [{"name": "run-queue delay", "value": 45.23, "unit": "ms"}],
    },
    "realtime": {"periods": 200, "throttledPeriods": 30},
}
GOOD: dict[str, Any] = {"timing": {"p99Ms": 0.4, "windows": [], "verdict": None}, "rooms": []}
BAD = REPORT | {"rooms": [{"name": "lobby", "role": "owner"}, {"name": "hall", "role": "twin"}]}


def pod(name: str, node: str = "node-1") -> Object:
    ports = [{"name": "admin", "containerPort": 8443}]
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"voiceroom.dev/pool": "default"},
        },
        "spec": {"nodeName": node, "containers": [{"ports": ports}]},
    }


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster().add(room("lobby", status={"podName": "a"}), room("attic"))
    for one in (pod("a"), pod("b"), pod("c", "node-2"), pod("lobby", "node-3")):
        made.pods["default", one["metadata"]["name"]] = one
    return made


def names_of(pods: list[Object]) -> list[str]:
    return [one["metadata"]["name"] for one in pods]


@pytest.mark.parametrize(
    ("target", "pods"),
    [
        ("lobby", ["a"]),
        ("room/lobby", ["a"]),
        ("pod/lobby", ["lobby"]),
        ("b", ["b"]),
        ("node-1", ["a", "b"]),
        ("node/node-2", ["c"]),
    ],
)
def test_a_name_means_a_room_then_a_pod_then_a_node(
    cluster: FakeCluster, target: str, pods: list[str]
) -> None:
    assert names_of(pods_of(cluster, "default", target)) == pods


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nobody", "no room, mixer pod or node with mixers nobody"),
        ("pod/node-1", "no pod node-1"),
        ("attic", "is in no pod"),
    ],
)
def test_what_is_not_there_is_told(cluster: FakeCluster, target: str, words: str) -> None:
    with pytest.raises(NotFound, match=words):
        pods_of(cluster, "default", target)


def run(cluster: FakeCluster, reports: Mapping[str, Any], *words: str) -> tuple[int, Typed]:
    def ask(one: Object) -> Mapping[str, Any]:
        said = reports[one["metadata"]["name"]]
        if isinstance(said, str):
            raise ClusterError(said)
        found: Mapping[str, Any] = said
        return found

    typed = Typed(cluster, ask=ask)
    return typed.run("diagnose", *words), typed


def test_a_pod_that_keeps_time(cluster: FakeCluster) -> None:
    code, typed = run(cluster, {"a": GOOD}, "lobby")
    assert (code, typed.out.splitlines()[0]) == (0, "a on node-1 keeps time.")


def test_a_pod_that_does_not(cluster: FakeCluster) -> None:
    since = BAD | {"timing": BAD["timing"] | {"since": NOW_S - 190}}
    code, typed = run(cluster, {"a": since}, "lobby")
    first, evidence, remedy, asked = typed.out.splitlines()
    assert code == 1
    assert first.startswith("a on node-1 (rooms lobby) does not keep time: starved, the pod was")
    assert first.endswith("for 3m.")
    assert "run-queue delay 45.2 ms" in evidence
    assert "nodes of its own" in remedy
    assert "throttled by its own quota? yes (15.0%)" in asked
    assert "NTP offset? not known" in asked


def test_all_pods_of_a_node_and_one_that_is_silent(cluster: FakeCluster) -> None:
    code, typed = run(cluster, {"a": GOOD, "b": "connection refused"}, "node/node-1")
    assert code == 1
    assert "a on node-1 keeps time." in typed.out
    assert "b on node-1 does not answer: connection refused" in typed.out


def test_what_is_taken_away_to_keep_time_is_told_of_each_pod(cluster: FakeCluster) -> None:
    well, pressed = GOOD | {"level": 0, "breaker": "closed"}, BAD | {"level": 3, "breaker": "open"}
    code, typed = run(cluster, {"a": pressed, "b": well}, "node-1")
    assert code == 1
    ladders = [line for line in typed.out.splitlines() if line.startswith("  Ladder:")]
    breakers = [line for line in typed.out.splitlines() if line.startswith("  Breaker:")]
    assert ladders[0].startswith("  Ladder: level 3 of 5, sound comes 60 ms later")
    assert ladders[1] == "  Ladder: level 0 of 5, nothing is taken away."
    assert breakers[0] == "  Breaker: open, ticks were missed, or a clock jumped, a moment ago."
    assert breakers[1] == "  Breaker: closed, ticks come in time."


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_programs_read_level_and_breaker(cluster: FakeCluster, form: str) -> None:
    reports = {"a": GOOD | {"level": 0, "breaker": "half-open"}, "b": "connection refused"}
    _, typed = run(cluster, reports, "node-1", "-o", form)
    first, silent = yaml.safe_load(typed.out)["items"]
    assert (first["level"], first["breaker"]) == (0, "half-open")
    assert not {"level", "breaker"} & set(silent)


@pytest.mark.parametrize("odd", [{}, {"level": 99, "breaker": "ajar"}, {"level": True}])
def test_what_another_version_says_otherwise_is_left_out(
    cluster: FakeCluster, odd: dict[str, Any]
) -> None:
    code, typed = run(cluster, {"a": GOOD | odd}, "lobby")
    assert (code, typed.out.splitlines()[0]) == (0, "a on node-1 keeps time.")
    assert not {"Ladder:", "Breaker:"} & set(typed.out.split())


def test_there_are_words_for_all_that_a_mixer_says() -> None:
    assert len(pressure.LEVELS) == len(measures.LEVELS)
    said = set()
    for state in Breaker:
        memory = segment()
        memory.counters[stats.INDEX["breaker_state"]] = state
        said.add(defences.breaker([memory]))
    assert said == set(pressure.BREAKER)


def test_for_programs(cluster: FakeCluster) -> None:
    code, typed = run(cluster, {"a": BAD}, "lobby", "-o", "json")
    (case,) = json.loads(typed.out)["items"]
    assert code == 1
    assert (case["pod"], case["cause"], case["bad"]) == ("a", "starved", True)


def test_a_wrong_kind_is_refused(cluster: FakeCluster) -> None:
    with pytest.raises(SystemExit):
        run(cluster, {}, "pool/x")


def test_a_start_in_the_future_is_not_shown(cluster: FakeCluster) -> None:
    said = GOOD | {"timing": {"since": NOW_S + 99}}
    assert examine(pod("a"), lambda _: said, NOW_S).since_s is None


# The report itself, over TLS


class Mixer(BaseHTTPRequestHandler):
    """An admin listener."""

    status, body = 200, json.dumps(GOOD).encode()
    bearers: list[str]
    sent: list[bytes]

    def do_GET(self) -> None:
        type(self).bearers.append(self.headers["Authorization"])
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        type(self).sent.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return None


def secret() -> dict[str, bytes]:
    """Of the pool ``default``, as the operator makes it."""
    name = "mixer.default.default"
    ca = new_ca(name, time.time())
    pair = new_certificate(ca, name, time.time())
    word = base64.b64encode(bytes(32)).decode()
    kinds = ("join", "admin")
    listed = [{"kid": use, "secret": word, "use": use} for use in kinds]
    keys = json.dumps({"keys": listed}).encode()
    return {"ca.crt": ca.cert, "tls.crt": pair.cert, "tls.key": pair.key, "keys.json": keys}


def server_context(held: dict[str, bytes]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=held["ca.crt"].decode())
    with tempfile.NamedTemporaryFile() as file:
        file.write(held["tls.key"] + held["tls.crt"])
        file.flush()
        context.load_cert_chain(file.name)
    return context


@pytest.fixture
def mixer(cluster: FakeCluster) -> Iterator[type[Mixer]]:
    """Behind the admin port of the pod ``a``."""
    held = cluster.secrets["default", "voiceroom-default"] = secret()
    handler = type("Handler", (Mixer,), {"bearers": [], "sent": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.socket = server_context(held).wrap_socket(server.socket, server_side=True)
    cluster.doors["a", 8443] = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_report_is_had_with_the_pools_own_tls_and_an_admin_token(
    cluster: FakeCluster, mixer: type[Mixer]
) -> None:
    assert report(cluster, pod("a"), NOW_S) == GOOD
    (bearer,) = mixer.bearers
    claims = jwt.decode(bearer.removeprefix("Bearer "), options={"verify_signature": False})
    assert (claims["role"], claims["exp"]) == ("admin", int(NOW_S) + 60)


def test_what_is_asked_of_a_pod_has_a_body_and_its_refusal_is_an_answer(
    cluster: FakeCluster, mixer: type[Mixer]
) -> None:
    mixer.status, mixer.body = 409, b'{"error": "chaos_runs", "message": "one runs"}'
    answer = ask(cluster, pod("a"), NOW_S, Call("POST", "/admin/v1/chaos", {"kind": "step"}))
    assert (answer.status, answer.refusal) == (409, "HTTP 409: one runs")
    assert mixer.sent == [b'{"kind": "step"}']


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(403, b"no", "HTTP 403: no"), (200, b"[]", "no JSON object"), (200, b"x", "does not answer")],
)
def test_a_pod_that_answers_oddly_is_told(
    cluster: FakeCluster, mixer: type[Mixer], status: int, body: bytes, words: str
) -> None:
    mixer.status, mixer.body = status, body
    with pytest.raises(ClusterError, match=words):
        report(cluster, pod("a"), NOW_S)


def test_a_pod_of_another_ca_is_not_believed(cluster: FakeCluster, mixer: type[Mixer]) -> None:
    cluster.secrets["default", "voiceroom-default"] = secret()
    with pytest.raises(ClusterError, match="does not answer"):
        report(cluster, pod("a"), NOW_S)
    assert mixer.bearers == []


def test_a_pod_that_cannot_be_reached_is_told(cluster: FakeCluster) -> None:
    cluster.secrets["default", "voiceroom-default"] = secret()
    with pytest.raises(ClusterError, match="the pod a"):
        report(cluster, pod("a"), NOW_S)


def test_without_the_pools_secret_nothing_can_be_asked(cluster: FakeCluster) -> None:
    with pytest.raises(NotFound, match="voiceroom-default"):
        report(cluster, pod("a"), NOW_S)
    bare = pod("a") | {"spec": {}}
    with pytest.raises(ClusterError, match="no port admin"):
        report(cluster, bare, NOW_S)


STARVED = {
    "verdict": "starved",
    "evidence": [{"name": "control's heartbeat overdue", "value": 812.0, "unit": "ms"}],
}


def test_a_loop_of_control_that_others_keep_from_running_is_said_of_a_pod_that_keeps_time(
    cluster: FakeCluster,
) -> None:
    timing = GOOD["timing"] | {"control": STARVED}
    code, typed = run(cluster, {"a": GOOD | {"timing": timing}}, "lobby")
    assert code == 0
    assert "keeps time" in typed.out
    assert "  Control's loop: starved, the pod was runnable and got no CPU" in typed.out
    assert "(control's heartbeat overdue 812.0 ms); joins wait, sound does not." in typed.out


@pytest.mark.parametrize("said", [None, "starved", {"verdict": "tired"}, {"verdict": None}])
def test_nothing_is_said_of_a_loop_of_which_nothing_is_known(
    cluster: FakeCluster, said: object
) -> None:
    timing = GOOD["timing"] | {"control": said}
    _, typed = run(cluster, {"a": GOOD | {"timing": timing}}, "lobby")
    assert "Control's loop" not in typed.out
