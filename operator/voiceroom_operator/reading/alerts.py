"""Alerts as Alertmanager's webhook (version 4) and Grafana's send them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from voiceroom_api import names
from voiceroom_operator.reading.scalars import unix_s

VERSIONS: Final = frozenset({"4", "1"})
"""Of Alertmanager, and of Grafana's contact point."""
MOST: Final = 1000
"""Alerts in one delivery."""
_MOST_CHARS: Final = 253
_CAUSE_LABELS: Final = ("cause", "verdict")
_TARGET_LABELS: Final = ("namespace", "pool", "pod", "node")


@dataclass(frozen=True, slots=True)
class AlertSaid:
    """One alert of a delivery."""

    status: Literal["firing", "resolved"]
    fingerprint: str
    starts_at: str
    """As it was sent: part of what makes the alert that alert."""
    since_s: float
    namespace: str = ""
    pool: str = ""
    pod: str = ""
    node: str = ""
    cause: str = ""

    @property
    def key(self) -> str:
        """The same for every delivery of this alert, whoever sends it."""
        return f"{self.fingerprint}@{self.starts_at}"[:128]


def read_delivery(raw: bytes) -> list[AlertSaid]:
    """All alerts of a delivery. Raises ``ValueError`` with a sentence when it is none."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("alerts"), list):
        raise ValueError("the body has no list `alerts`")
    if body.get("version") not in VERSIONS:
        raise ValueError("`version` must be 4 (Alertmanager) or 1 (Grafana)")
    if len(body["alerts"]) > MOST:
        raise ValueError(f"more than {MOST} alerts")
    return [_alert(at, entry) for at, entry in enumerate(body["alerts"])]


def _alert(at: int, entry: object) -> AlertSaid:
    where = f"alerts[{at}]"
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is not an object")
    labels, since_s = entry.get("labels"), unix_s(entry.get("startsAt"))
    if not isinstance(labels, dict) or since_s is None:
        raise ValueError(f"{where} has no labels, or no time startsAt")
    words = {key: _word(labels.get(key)) for key in _TARGET_LABELS}
    return AlertSaid(
        status=_status(where, entry.get("status")),
        fingerprint=_word(entry.get("fingerprint"))[:64] or _fingerprint(labels),
        starts_at=str(entry["startsAt"])[:40],
        since_s=since_s,
        cause=_cause(labels),
        **words,
    )


def _status(where: str, said: object) -> Literal["firing", "resolved"]:
    if said == "firing":
        return "firing"
    if said == "resolved":
        return "resolved"
    raise ValueError(f"{where}.status must be firing or resolved")


def _word(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _MOST_CHARS else ""


def _cause(labels: Mapping[str, Any]) -> str:
    said = (labels.get(key) for key in _CAUSE_LABELS)
    return next((cause for cause in said if cause in names.VERDICTS), "")


def _fingerprint(labels: Mapping[str, Any]) -> str:
    """For senders that give none: of the labels, as theirs is."""
    return sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
