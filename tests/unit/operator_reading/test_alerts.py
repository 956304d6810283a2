"""Deliveries of Alertmanager and Grafana, good and bad."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voiceroom_operator.reading.alerts import read_delivery

STARTS = "2026-03-01T12:00:00.123456789Z"
ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {
        "alertname": "VoiceroomTickLate",
        "namespace": "voice",
        "pool": "default",
        "pod": "voiceroom-default-0",
        "node": "node-1",
        "cause": "starved",
    },
    "annotations": {"summary": "ticks are late"},
    "startsAt": STARTS,
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "c1b2a3d4e5f60718",
}
DELIVERY: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{namespace="voice"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "voiceroom",
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager",
    "alerts": [ALERT],
}
GRAFANA: dict[str, Any] = DELIVERY | {
    "version": "1",
    "orgId": 1,
    "title": "[FIRING:1]",
    "state": "alerting",
    "message": "**Firing**",
    "alerts": [ALERT | {"values": {"A": 0.06}, "silenceURL": "http://grafana", "valueString": ""}],
}


def raw(**changed: Any) -> bytes:
    return json.dumps(DELIVERY | changed).encode()


@pytest.mark.parametrize("body", [DELIVERY, GRAFANA], ids=["alertmanager", "grafana"])
def test_both_senders_say_the_same(body: dict[str, Any]) -> None:
    (alert,) = read_delivery(json.dumps(body).encode())
    assert (alert.namespace, alert.pool, alert.pod) == ("voice", "default", "voiceroom-default-0")
    assert (alert.status, alert.node, alert.cause) == ("firing", "node-1", "starved")
    assert alert.key == f"c1b2a3d4e5f60718@{STARTS}"
    assert alert.since_s == pytest.approx(1_772_366_400.123, abs=0.001)


def test_the_same_alert_has_the_same_key_when_it_ends() -> None:
    (firing,) = read_delivery(raw())
    (resolved,) = read_delivery(raw(alerts=[ALERT | {"status": "resolved"}]))
    assert (firing.key, resolved.status) == (resolved.key, "resolved")


def test_without_a_fingerprint_the_labels_are_one() -> None:
    bare = {key: value for key, value in ALERT.items() if key != "fingerprint"}
    (one,), (same,) = (read_delivery(raw(alerts=[bare])) for _ in range(2))
    (other,) = read_delivery(raw(alerts=[bare | {"labels": {"pod": "x"}}]))
    assert one.key == same.key != other.key


def test_a_cause_that_is_no_verdict_counts_as_none() -> None:
    labels = ALERT["labels"] | {"cause": "aliens"}
    (alert,) = read_delivery(raw(alerts=[ALERT | {"labels": labels}]))
    assert alert.cause == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no list `alerts`"),
        (raw(version="3"), "`version`"),
        (raw(alerts={}), "no list `alerts`"),
        (raw(alerts=[7]), "not an object"),
        (raw(alerts=[ALERT | {"status": "maybe"}]), "firing or resolved"),
        (raw(alerts=[ALERT | {"startsAt": "yesterday"}]), "startsAt"),
        (raw(alerts=[ALERT | {"labels": None}]), "labels"),
        (raw(alerts=[ALERT] * 1001), "more than 1000"),
    ],
)
def test_what_is_no_delivery_is_told(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_delivery(body)


@pytest.mark.parametrize("value", [None, 7, [], {}, "x" * 300, True])
def test_labels_that_are_no_words_count_as_absent(value: Any) -> None:
    labels = dict.fromkeys(("namespace", "pool", "pod", "node", "cause"), value)
    (alert,) = read_delivery(raw(alerts=[ALERT | {"labels": labels}]))
    assert (alert.namespace, alert.pool, alert.pod, alert.node, alert.cause) == ("",) * 5
