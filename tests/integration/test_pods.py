"""Mixers in pods: assigned rooms, a shared front door, restarts, and exchanged Secrets."""

from __future__ import annotations

import os
import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.events import events, until_event
from harness.listening import until_heard
from harness.mixer import free_port, running
from harness.party import Party, gathering
from harness.pods import POOL, Pod, Secret, card, connected, direct, owned, pods
from harness.webrtc import WebRtcLeg
from voiceroom_api.units import NS_PER_S
from voiceroom_operator.binding.directory import Directory
from voiceroom_operator.children.secrets import tls_name
from voiceroom_operator.keys.material import wanted
from voiceroom_operator.reading.reports import status_report

TLS_FILES = {"cert": "tls.crt", "key": "tls.key", "ca": "ca.crt"}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Pod]]:
    """Pod ``a`` runs room ``east``, pod ``b`` runs ``west``, and each knows it."""
    with pods(tmp_path, "a", "b") as (a, b):
        direct([a, b], Directory(), {"east": a, "west": b})
        assert a.assign(owned("east", "a")) == 200
        assert b.assign(owned("west", "b")) == 200
        yield [a, b]


def test_a_call_through_a_pod_that_does_not_run_the_room(pair: list[Pod]) -> None:
    a, b = pair
    with gathering(a, "west") as west:
        ana = west.dial(440.0, "ana")
        bob = Party(b, "west").dial(1_100.0, "bob")
        try:
            until_heard(ana, 1_100.0)
            until_heard(bob, 440.0)
            assert [p["identity"] for p in west.room()["participants"]] == ["ana", "bob"]
            with events(a, west.token, "west") as stream:
                ana.restart_ice(a)
                status, _, _ = a.call(
                    "PATCH", f"/rooms/west/legs/{ana.id}", ana.token, {"muted": True}
                )
                assert status == 200
                until_event(stream, "muted", id=ana.id)
                assert a.call("DELETE", bob.location, bob.token)[0] == 200
                until_event(stream, "left", identity="bob")
        finally:
            bob.close()
    counted = a.metrics()
    assert counted['voiceroom_forwarded_requests_total{result="ok"}'] >= 5
    assert counted['voiceroom_forwarded_requests_total{result="unreachable"}'] == 0


def test_what_is_not_there_says_so(pair: list[Pod]) -> None:
    a, b = pair
    token = a.sign("admin", "nowhere")
    assert a.call("GET", "/rooms/nowhere", token)[0] == 404
    assert a.call("GET", "/rooms/west", None)[0] == 401, "the owner's refusal comes back"
    code, page, headers = a.call("GET", "/rooms/west", None, Accept="text/html")
    assert (code, "<title>" in page) == (200, True), headers
    b.stop()
    code, answer, headers = a.call("GET", "/rooms/west", a.sign("speaker", "west"))
    assert (code, answer["error"]) == (503, "owner_unreachable")
    assert int(headers["Retry-After"]) >= 1
    assert a.metrics()['voiceroom_forwarded_requests_total{result="unreachable"}'] == 1


def test_wrong_pins_count_on_who_asked_and_not_on_the_pod_that_passed_it_on(
    pair: list[Pod],
) -> None:
    a, b = pair
    tries = [
        a.call("POST", "/rooms/west/token", None, {"pin": "0000", "name": "eve"})[0]
        for _ in range(6)
    ]
    assert tries == [404] * 5 + [429], "west has no PIN; the sixth try of a minute is refused"
    assert b.metrics()['voiceroom_http_limited_total{limit="pin"}'] == 1


def test_what_a_client_says_of_its_source_is_not_believed(pair: list[Pod]) -> None:
    a, _ = pair
    tries = [
        a.call(
            "POST",
            "/rooms/west/token",
            None,
            {"pin": "0000", "name": "eve"},
            X_Voiceroom_Source=f"192.0.2.{n}",
            X_Forwarded_For=f"192.0.2.{n}",
        )[0]
        for n in range(6)
    ]
    assert tries[-1] == 429


def test_a_container_that_starts_again_has_its_rooms_without_the_operator(
    pair: list[Pod],
) -> None:
    a, _ = pair
    before = a.status()
    a.restart()
    after = a.status()
    assert after["bootId"] != before["bootId"]
    kept = ("term", "generation", "directory")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert a.call("GET", "/rooms/east", a.sign("speaker", "east"))[0] == 200
    assert a.call("GET", "/rooms/west", a.sign("speaker", "west"))[0] == 200, "by the directory"


def test_a_control_process_that_starts_again_keeps_the_call(pair: list[Pod]) -> None:
    a, _ = pair
    with gathering(a, "east") as east:
        ana, _ = east.join(440.0, "ana"), east.join(1_100.0, "bob")
        old = a.pids()["voiceroom-control"]
        os.kill(old, signal.SIGKILL)
        a.until(lambda: a.pids().get("voiceroom-control", old) != old, "control is not back")
        a.until_ready()
        until_heard(ana, 1_100.0)
        assert a.status()["rooms"][0]["legs"] == 2


def test_a_room_that_vanishes_is_closed_within_two_seconds(pair: list[Pod]) -> None:
    a, _ = pair
    with gathering(a, "east") as east:
        gateway = east.join(440.0, "gateway")
        with events(a, east.token, "east") as stream:
            assert a.assign() == 200
            until_event(stream, "closed")
            east.legs.remove(gateway)
        gateway.close()
    # the directory still has it here: the operator is about to say where it went
    assert a.call("GET", "/rooms/east", east.token)[0] == 503
    gone = {"term": 1, "from": 1, "to": 2, "set": {}, "gone": ["east"]}
    assert a.tell("PUT", "directory", gone)[0] == 200
    assert a.call("GET", "/rooms/east", east.token)[0] == 404


def test_a_room_that_goes_to_another_pod_leaves_a_way_back(tmp_path: Path) -> None:
    with pods(tmp_path, "a", "b") as (a, b):
        book = Directory()
        direct([a, b], book, {"east": a})
        assert a.assign(owned("east", "a")) == 200
        token = a.sign("speaker", "east")
        leg = WebRtcLeg(440.0).join(a, token, room="east")
        try:
            with events(a, token, "east") as stream:
                direct([a, b], book, {"east": b})
                assert b.assign(owned("east", "b", epoch=2)) == 200
                assert a.assign() == 200
                assert until_event(stream, "left").data["reason"] == "moved"
                assert [e.kind for e in stream] == [], "the stream ends without `closed`"
            again = WebRtcLeg(440.0).join(a, token, room="east")
            assert b.status()["rooms"][0]["legs"] == 1, "it came back by the old address"
            again.close()
        finally:
            leg.close()


def test_an_exchanged_secret_is_taken_up_under_a_call(pair: list[Pod]) -> None:
    a, b = pair
    old = a.secret.access()
    with gathering(a, "west") as west:
        ana = west.dial(440.0, "ana")
        west.join(1_100.0, "gateway")
        fresh = wanted({}, {}, tls_name(POOL), time.time()).pool
        a.secret.write(fresh)
        for pod in (a, b):
            pod.until(lambda pod=pod: _answers(pod), "the new Secret is not taken up")
        assert not _answers(a, context=old.context), "what the new CA has not signed is refused"
        until_heard(ana, 1_100.0)
        # a token of the old keys is one no more, the leg's own included; with the new ones it is
        assert a.call("GET", "/rooms/west", west.token)[0] == 401
        assert a.call("GET", "/rooms/west", a.sign("speaker", "west"))[0] == 200


def _answers(pod: Pod, context: ssl.SSLContext | None = None) -> bool:
    try:
        how = {"context": context} if context else {}
        return pod.tell("GET", "status", None, **how)[0] == 200
    except (ssl.SSLError, ConnectionError):
        return False


def test_who_is_not_of_the_pool_gets_no_answer(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "pool").mkdir()
    stranger = Secret(tmp_path / "other").access()
    with pods(tmp_path / "pool", "a") as (a,):
        bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        bare.load_verify_locations(a.secret.path / "ca.crt")
        for context in (bare, stranger.context):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            assert not _answers(a, context=context)
        old = a.secret.access().context
        old.minimum_version, old.maximum_version = (ssl.TLSVersion.TLSv1_2,) * 2
        assert not _answers(a, context=old), "TLS 1.3 only"
        assert a.tell("GET", "status", bearer=a.sign("moderator"))[0] == 403
        assert a.tell("GET", "status", bearer="nonsense")[0] == 401
        assert a.status()["rooms"] == []


def test_documents_that_are_behind_or_wrong_change_nothing(pair: list[Pod]) -> None:
    a, _ = pair
    before = a.status()
    document = a.generation.to_dict(1)
    code, body = a.tell("PUT", "assignment", document | {"term": 0})
    assert (code, body["error"], body["term"]) == (409, "stale_term", 1)
    code, body = a.tell("PUT", "assignment", document | {"rooms": []})
    assert (code, body["error"], body["generation"]) == (409, "gap", 1)
    wrong = {**document["rooms"][0], "spec": {"audio": {"talkers": 99}}}
    code, body = a.tell("PUT", "assignment", document | {"generation": 2, "rooms": [wrong]})
    assert (code, body["field"]) == (422, "rooms[0].spec.audio.talkers")
    code, body = a.tell("PUT", "directory", {"term": 1, "from": 7, "to": 8, "set": {}, "gone": []})
    assert (code, body["error"], body["number"]) == (409, "gap", 1)
    assert a.status()["generation"] == before["generation"]
    assert a.call("GET", "/rooms/east", a.sign("speaker", "east"))[0] == 200


def newest_second(pod: Pod) -> int:
    """Of those whose ticks it tells of."""
    return max((int(one["window"]) for one in pod.status()["timing"]["windows"]), default=0)


def test_the_operator_understands_what_the_pod_says_of_itself(pair: list[Pod]) -> None:
    a, _ = pair
    with gathering(a, "east") as east:
        east.join(440.0, "ana")
        begun = time.monotonic_ns() // NS_PER_S
        a.until(lambda: newest_second(a) > begun, "no whole second of the call yet")
        report = status_report(a.status())
    assert [(held.room, held.epoch, held.role, held.legs) for held in report.pod.holds] == [
        ("east", 1, "owner", 1)
    ]
    assert report.participants == {"east": 1}
    assert (report.generation, report.directory, report.term) == (1, 1, 1)
    assert report.pod.accepting
    assert report.unready == ()
    assert report.pod.headroom is not None
    assert (report.realtime.mode, report.realtime.granted) == ("Shared", True)
    assert report.grade in ("A", "B", "C")
    assert report.timing.p99_ms is not None
    assert report.timing.verdict == ""


def test_a_mode_that_is_required_and_refused_keeps_the_pod_from_being_ready(
    tmp_path: Path,
) -> None:
    secret = Secret(tmp_path)
    options = ("--realtime", "Exclusive", "--realtime-cpus", "999", "--realtime-required")
    pod = Pod("a", tmp_path / "a", secret, *options)
    try:
        pod.until(lambda: _answers(pod), "no answer on --admin", 30)
        pod.until(lambda: pod.status()["unready"] == ["realtime_not_granted"], "warm-up", 30)
        code, answer, _ = pod.call("GET", "/readyz")
        assert code == 503
        assert "CPUSharedNotExclusive" in answer["detail"]["realtime_not_granted"]
        report = status_report(pod.status())
        assert report.realtime.granted is False
        assert report.realtime.reason == "CPUSharedNotExclusive"
        assert not report.pod.accepting
    finally:
        pod.stop()


def test_rooms_are_dealt_out_to_several_media_processes(tmp_path: Path) -> None:
    with pods(tmp_path, "a", options=("--media-processes", "2")) as (a,):
        direct([a], Directory(), {"one": a, "two": a})
        assert a.assign(owned("one", "a"), owned("two", "a")) == 200
        ports = set()
        for room in ("one", "two"):
            with gathering(a, room) as party:
                ana = party.dial(440.0, "ana")
                party.join(1_100.0, "bob")
                until_heard(ana, 1_100.0)
                ports.add(ana.target[1])
        assert len(ports) == 2, "each process has a port of its own"


def test_live_changes_reach_the_call(pair: list[Pod]) -> None:
    a, _ = pair
    with gathering(a, "east") as east:
        ana, _ = east.dial(440.0, "ana"), east.join(1_100.0, "bob")
        spec = card(
            maxParticipants=2,
            audio={"frameMs": 40, "talkers": 1, "bitrateKbps": 64, "jitterBuffer": {"minMs": 40}},
        )
        assert a.assign(owned("east", "a"), east=spec) == 200
        audio = east.room()["audio"]
        assert (audio["talkers"], audio["bitrateKbps"]) == (1, 64)
        assert audio["frameMs"] == 20, "people are in"
        assert a.status()["held"] == [{"room": "east", "field": "spec.audio.frameMs"}]
        until_heard(ana, 1_100.0)
        code, answer, _ = a.call(
            "POST", "/rooms/east/whip", east.sign("speaker"), "v=0", Content_Type="application/sdp"
        )
        assert (code, answer["error"]) == (503, "room_full")
        for leg in east.room()["participants"]:
            a.call("DELETE", f"/rooms/east/legs/{leg['id']}", east.token)
        a.until(lambda: east.room()["audio"]["frameMs"] == 40, "not done when it was empty")


def test_a_pod_that_is_ended_waits_for_its_people(pair: list[Pod]) -> None:
    a, b = pair
    with gathering(a, "east") as east:
        ana, _ = east.dial(440.0, "ana"), east.join(1_100.0, "bob")
        a.process.send_signal(signal.SIGTERM)
        a.until(lambda: a.status()["unready"] == ["draining"], "it does not drain")
        assert a.call("GET", "/readyz")[0] == 503
        assert a.call("GET", "/healthz")[0] == 200
        assert not a.status()["accepting"]
        code, answer, _ = b.call(
            "POST", "/rooms/east/whip", east.sign("speaker"), "v=0", Content_Type="application/sdp"
        )
        assert (code, answer["error"]) == (503, "draining"), "through the other pod as well"
        until_heard(ana, 1_100.0)
        for leg in east.room()["participants"]:
            assert b.call("DELETE", f"/rooms/east/legs/{leg['id']}", east.token)[0] == 204
        assert a.process.wait(10) == 0


def test_admin_of_a_run_on_a_laptop_takes_tls_too(tmp_path: Path) -> None:
    secret, port = Secret(tmp_path), free_port()
    tls = [f"--admin-tls-{part}={secret.path / file}" for part, file in TLS_FILES.items()]
    with running(tmp_path, "--admin", f"127.0.0.1:{port}", *tls) as mixer:
        bearer = mixer.sign("admin")
        own = secret.access()
        with connected(port, own.context, own.server_name) as connection:
            headers = {"Authorization": f"Bearer {bearer}"}
            connection.request("GET", "/debug/rooms/lobby", headers=headers)
            assert connection.getresponse().status == 200
        assert not answers_without_a_certificate(port, headers)


def answers_without_a_certificate(port: int, headers: dict[str, str]) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with connected(port, context, "x") as connection:
            connection.request("GET", "/debug/rooms/lobby", headers=headers)
            return bool(connection.getresponse().status)
    except OSError:
        return False
