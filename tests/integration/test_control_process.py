"""The control process of a running mixer: events over its death, metrics, the orderly end."""

from __future__ import annotations

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from harness.mixer import Mixer
from harness.party import Party
from voiceroom_api.metrics import METRICS

Block = dict[str, str]


@contextmanager
def events(mixer: Mixer, token: str, last_id: str = "") -> Iterator[Iterator[Block]]:
    """The journalled events of the lobby's stream as they come."""
    where = urlsplit(mixer.base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    headers = {"Last-Event-ID": last_id} if last_id else {}
    connection.request("GET", f"/rooms/lobby/events?token={token}", headers=headers)
    stream = connection.getresponse()
    assert stream.status == 200
    try:
        yield (block for block in _blocks(stream) if "id" in block and "event" in block)
    finally:
        stream.close()
        connection.close()


def _blocks(stream: http.client.HTTPResponse) -> Iterator[Block]:
    block: Block = {}
    while line := stream.readline():
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name or value:
            block[name] = value.strip()
        else:
            yield block
            block = {}


def test_events_are_resumed_by_id_over_the_death_of_control(party: Party) -> None:
    listener = party.mixer.token("listener")
    with events(party.mixer, listener) as stream:
        party.join(440.0, "low")
        first = next(stream)
    assert first["event"] == "joined"
    party.mixer.call("PATCH", "/rooms/lobby", party.token, {"locked": True})
    os.kill(party.mixer.pids()["voiceroom-control"], signal.SIGKILL)
    with events(party.mixer, listener, first["id"]) as stream:
        for event in stream:
            assert int(event["id"]) > int(first["id"])
            if event["event"] == "locked":
                break
        assert event["data"] == '{"locked":true}'
        party.mixer.call("PATCH", "/rooms/lobby", party.token, {"locked": False})
        later = next(e for e in stream if e["event"] == "locked")
        assert int(later["id"]) > int(event["id"])


def _scrape(mixer: Mixer) -> dict[str, dict[tuple[str, ...], float]]:
    accept = "application/openmetrics-text; version=1.0.0"
    status, text, _ = mixer.call("GET", "/metrics", Accept=accept)
    assert status == 200
    families = parse_openmetrics(text)  # type: ignore[no-untyped-call]
    return {
        family.name: {(s.name, *s.labels.values()): s.value for s in family.samples}
        for family in families
    }


def test_a_scrape_of_a_running_mixer_has_every_metric_and_believable_numbers(party: Party) -> None:
    party.join(440.0, "low").wait_packets(2)
    scraped = _scrape(party.mixer)
    for metric in METRICS:
        assert metric.name.removesuffix("_total").removesuffix("_info") in scraped
    ticks = scraped["voiceroom_ticks"][("voiceroom_ticks_total",)]
    again = _scrape(party.mixer)["voiceroom_ticks"][("voiceroom_ticks_total",)]
    assert 0 < ticks <= again
    assert scraped["voiceroom_participants"] == {("voiceroom_participants", "lobby"): 1}
    tasks = scraped["voiceroom_tasks"][("voiceroom_tasks",)]
    assert tasks == scraped["voiceroom_tasks_expected"][("voiceroom_tasks_expected",)]
    assert scraped["voiceroom_node_grade"]
    assert scraped["voiceroom_ready"] == {("voiceroom_ready",): 1}


def test_while_draining_joins_are_refused_and_it_ends_with_the_last_leg(party: Party) -> None:
    mixer = party.mixer
    leg = party.join(440.0, "low")
    leg.wait_packets(2)
    with events(mixer, mixer.token("listener")) as stream:
        mixer.process.send_signal(signal.SIGTERM)
        while mixer.call("GET", "/readyz")[0] == 200:
            pass
        assert mixer.call("GET", "/readyz")[1]["reasons"] == ["draining"]
        assert mixer.call("GET", "/healthz")[0] == 200
        body = {"kind": "rtp", "ip": "127.0.0.1", "port": 9, "payloadType": 111}
        body |= {"identity": "late", "role": "speaker"}
        status, refusal, _ = mixer.call("POST", "/rooms/lobby/legs", party.token, body)
        assert (status, refusal["error"]) == (503, "draining")
        leg.wait_packets(2)
        mixer.call("DELETE", f"/rooms/lobby/legs/{party.ids[0]}", party.token)
        assert [event["event"] for event in stream][-1] == "closed"
    assert mixer.process.wait(10) == 0


def test_no_token_is_in_the_log(party: Party) -> None:
    mixer, speaker = party.mixer, party.mixer.links["lobby"][0]
    token = speaker.partition("token=")[2]
    assert mixer.call("GET", f"/rooms/lobby?token={token}")[0] == 200
    where = urlsplit(mixer.base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    connection.putrequest("BREW", f"/rooms/lobby?token={token}", skip_accept_encoding=True)
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()
    for secret in token.split(".")[1:]:
        assert secret not in mixer.stderr()
    assert "path=/rooms/lobby" in mixer.stderr()
