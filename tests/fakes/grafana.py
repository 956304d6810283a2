"""What a contact point of type Webhook of Grafana sends, as its documentation has it."""

from __future__ import annotations

import json
from typing import Any


def delivery(status: str, starts_at: str, **labels: str) -> bytes:
    """One alert; ``starts_at`` with an offset, as Grafana writes it."""
    alert: dict[str, Any] = {
        "status": status,
        "labels": {"alertname": "Ticks late", "grafana_folder": "voice"} | labels,
        "annotations": {"summary": "ticks are late"},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://grafana.example.org/alerting/1afz29v7z/edit",
        "fingerprint": "c6eadffa33fcdf37",
        "silenceURL": "https://grafana.example.org/alerting/silence/new?alertmanager=grafana",
        "dashboardURL": "",
        "panelURL": "",
        "values": {"B": 44.23943737541908, "C": 1},
        "valueString": "[ var='B' labels={} value=44.23943737541908 ]",
    }
    body = {
        "receiver": "voiceroom",
        "status": status,
        "orgId": 1,
        "alerts": [alert],
        "groupLabels": {"alertname": "Ticks late"},
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": "https://grafana.example.org/",
        "version": "1",
        "groupKey": '{}:{alertname="Ticks late"}',
        "truncatedAlerts": 0,
        "title": "[FIRING:1] Ticks late",
        "state": "alerting" if status == "firing" else "ok",
        "message": "**Firing**",
    }
    return json.dumps(body).encode()
