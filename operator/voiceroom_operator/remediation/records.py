"""What is on record of remediation, in statuses: a restart of the operator forgets nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from voiceroom_operator.reading.scalars import unix_s
from voiceroom_operator.remediation.policy import HOUR_S, SLACK_S, Policy
from voiceroom_operator.remediation.raises import Raise
from voiceroom_operator.remediation.suspects import Alarm
from voiceroom_operator.status.conditions import later_s, timestamp

What = Literal["Node", "Pod"]
MOST: Final = 200
"""Entries of a list in a status."""


@dataclass(frozen=True, slots=True)
class Evacuation:
    """A pod or a node that is left on account of drift, and not trusted until ``until_s``."""

    what: What
    name: str
    uid: str
    """Of the pod; empty for a node."""
    node: str
    cause: str
    at_s: float
    until_s: float
    dry: bool = False
    """It was decided while the pool was not to act: only said and counted."""

    def is_active(self, now_s: float) -> bool:
        """It is not trusted yet."""
        return now_s < self.until_s

    def is_spent(self, now_s: float) -> bool:
        """It says nothing any more, to the budget neither."""
        kept_s = self.at_s + HOUR_S if self.what == "Pod" else self.at_s
        return now_s >= max(self.until_s, kept_s)

    def lasting(self, policy: Policy, now_s: float) -> Evacuation:
        """It was bad just now: the time in which it has to keep time begins anew."""
        if self.until_s >= now_s + policy.healthy_delay_s:
            return self
        return replace(self, until_s=until(policy, now_s))

    def to_dict(self) -> dict[str, Any]:
        """As in ``status.budget.evacuations``."""
        fields: dict[str, Any] = {"what": self.what, "name": self.name, "cause": self.cause}
        fields |= {"node": self.node} | ({"uid": self.uid} if self.uid else {})
        fields |= {"at": timestamp(self.at_s), "until": timestamp(self.until_s)}
        return fields | ({"dryRun": True} if self.dry else {})


def until(policy: Policy, now_s: float) -> float:
    """Until when is not trusted what is bad now; whole seconds, as statuses have them."""
    return later_s(now_s + policy.healthy_delay_s + SLACK_S)


def evacuations(status: Mapping[str, Any]) -> tuple[Evacuation, ...]:
    """Of a MixerPool's status; what is spoilt is passed by."""
    found = (_evacuation(entry) for entry in _listed(status, "evacuations"))
    return tuple(each for each in found if each is not None)


def _listed(status: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    budget = status.get("budget")
    found = budget.get(key) if isinstance(budget, Mapping) else None
    return [e for e in found if isinstance(e, Mapping)] if isinstance(found, list) else []


_WHAT: Final[Mapping[str, What]] = {"Node": "Node", "Pod": "Pod"}


def _evacuation(entry: Mapping[str, Any]) -> Evacuation | None:
    what = _WHAT.get(str(entry.get("what")))
    at_s, until_s = unix_s(entry.get("at")), unix_s(entry.get("until"))
    if what is None or at_s is None or until_s is None or not entry.get("name"):
        return None
    return Evacuation(
        what,
        str(entry["name"]),
        str(entry.get("uid", "")),
        str(entry.get("node", "")),
        str(entry.get("cause", "")),
        at_s,
        until_s,
        dry=entry.get("dryRun") is True,
    )


def alarms(status: Mapping[str, Any]) -> tuple[Alarm, ...]:
    """Of a MixerPool's status: alerts that were taken and may still fire."""
    found = (_alarm(entry) for entry in _listed(status, "alerts"))
    return tuple(each for each in found if each is not None)


def _alarm(entry: Mapping[str, Any]) -> Alarm | None:
    since_s, until_s = unix_s(entry.get("since")), unix_s(entry.get("until"))
    if since_s is None or until_s is None or not entry.get("key"):
        return None
    words = {key: str(entry.get(key, "")) for key in ("cause", "pod", "node")}
    return Alarm(str(entry["key"]), since_s, until_s, **words)


def alarm_dict(alarm: Alarm) -> dict[str, Any]:
    """As in ``status.budget.alerts``."""
    words = {"cause": alarm.cause, "pod": alarm.pod, "node": alarm.node}
    fields = {"key": alarm.key, "since": timestamp(alarm.since_s)}
    fields |= {"until": timestamp(alarm.until_s)}
    return fields | {key: word for key, word in words.items() if word}


def budget_dict(
    record: Iterable[Evacuation],
    left: Iterable[str],
    pods_left: int,
    alerts: Iterable[Alarm],
    raises: Iterable[Raise] = (),
) -> dict[str, Any]:
    """``status.budget``. ``left``: nodes that are being left; lists are bounded, the oldest
    entries go."""
    kept = sorted(record, key=lambda each: (each.at_s, each.what, each.name))[-MOST:]
    fields: dict[str, Any] = {"nodes": sorted(left)[:MOST], "podsLeft": pods_left}
    fields["evacuations"] = [each.to_dict() for each in kept]
    raised = sorted(raises, key=lambda each: (each.at_s, each.pod))[-MOST:]
    if raised:
        fields["raises"] = [each.to_dict() for each in raised]
    taken = sorted(alerts, key=lambda alarm: (alarm.since_s, alarm.key))[-MOST:]
    if taken:
        fields["alerts"] = [alarm_dict(alarm) for alarm in taken]
    return fields
