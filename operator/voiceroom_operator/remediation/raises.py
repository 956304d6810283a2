"""CPU limits that are raised in place. A pod that uses up its own quota is not cured by moving its
rooms to one with the same quota: more of it comes first, and moves nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from voiceroom_api import names
from voiceroom_api.quantity import parse_quantity
from voiceroom_operator.reading.scalars import unix_s
from voiceroom_operator.remediation.attribution import Fault
from voiceroom_operator.remediation.cpulimit import CpuLimit
from voiceroom_operator.remediation.policy import HOUR_S, Policy
from voiceroom_operator.remediation.suspects import PodView
from voiceroom_operator.status.conditions import later_s, timestamp, whole_s

Outcome = Literal["", "Set", "Refused", "Deferred", "Infeasible", "NotSet"]
_OUTCOMES: Final[Mapping[str, Outcome]] = {word: word for word in get_args(Outcome)}
APPLY_S: Final = 10.0
"""So long the kubelet may take; it needs one or two seconds."""
ALERT_S: Final = 120.0
"""So long an alert goes on firing after its cause has gone: of a pool that has nothing but alerts
to judge by."""
GONE: Final = "the pod is gone"
"""Why a limit was not seen to be set."""
_READ_SHARE: Final = 0.98
"""A quota is whole microseconds of a period: it may be read back a little lower."""


@dataclass(frozen=True, slots=True)
class Raise:
    """A limit that is raised, and how it ended."""

    pod: str
    uid: str
    node: str
    from_m: int
    """Thousandths of a CPU, as all limits here."""
    to_m: int
    at_s: float
    until_s: float
    """The pod is not left before: the new limit has to be set, and to show what it does."""
    outcome: Outcome = ""
    """Empty = under way. Set: the mixer has read it back. NotSet: it has not, in time, or went
    before."""
    why: str = ""
    dry: bool = False
    """It was decided while the pool was not to act: only said and counted."""

    def holds(self, now_s: float) -> bool:
        """The pod is not left for now."""
        return self.outcome in ("", "Set") and now_s < self.until_s

    def is_due(self, limit: CpuLimit, now_s: float) -> bool:
        """It is still to be asked for."""
        under_way = not self.outcome and not self.dry and now_s < self.until_s
        return under_way and 0 < limit.limit_m < self.to_m

    @property
    def spent_s(self) -> float:
        """From when on it says nothing any more, to the budget neither."""
        return self.at_s + HOUR_S

    def seen(self, limit: CpuLimit | None, policy: Policy, now_s: float) -> Raise:
        """With what has become of it; no limit = its pod is gone."""
        if self.outcome or self.dry:
            return self
        if limit is None:  # not before its time: one look without the pod is no proof
            return replace(self, outcome="NotSet", why=GONE) if now_s >= self.until_s else self
        asked_for = limit.limit_m >= self.to_m
        if limit.refused == "Refused" or (limit.refused and asked_for):
            return replace(self, outcome=limit.refused, why=limit.why)
        if asked_for and limit.quota_m >= self.to_m * _READ_SHARE:
            return replace(self, outcome="Set", until_s=later_s(now_s + _shows_s(policy)))
        return replace(self, outcome="NotSet") if now_s >= self.until_s else self

    def to_dict(self) -> dict[str, Any]:
        """As in ``status.budget.raises``."""
        fields: dict[str, Any] = {"pod": self.pod, "uid": self.uid, "node": self.node}
        fields |= {"from": f"{self.from_m}m", "to": f"{self.to_m}m"}
        fields |= {"at": timestamp(self.at_s), "until": timestamp(self.until_s)}
        if self.outcome:
            fields["outcome"] = self.outcome
        return fields | ({"dryRun": True} if self.dry else {})


def _shows_s(policy: Policy) -> float:
    """How long it takes until it is seen whether a limit that is set has helped."""
    return policy.span_s + 1.0 if policy.own_look else ALERT_S


def raises(status: Mapping[str, Any]) -> tuple[Raise, ...]:
    """Of a MixerPool's status; what is spoilt is passed by."""
    budget = status.get("budget")
    listed = budget.get("raises") if isinstance(budget, Mapping) else None
    entries = listed if isinstance(listed, list) else []
    found = (_raise(entry) for entry in entries if isinstance(entry, Mapping))
    return tuple(each for each in found if each is not None)


def _raise(entry: Mapping[str, Any]) -> Raise | None:
    at_s, until_s = unix_s(entry.get("at")), unix_s(entry.get("until"))
    from_m, to_m = thousandths(entry.get("from")), thousandths(entry.get("to"))
    if at_s is None or until_s is None or not to_m or not entry.get("uid"):
        return None
    return Raise(
        str(entry.get("pod", "")),
        str(entry["uid"]),
        str(entry.get("node", "")),
        from_m,
        to_m,
        at_s,
        until_s,
        _OUTCOMES.get(str(entry.get("outcome", "")), "NotSet"),
        dry=entry.get("dryRun") is True,
    )


def thousandths(quantity: object) -> int:
    """Of a CPU, of a Kubernetes quantity; 0 for what is none."""
    try:
        return int(parse_quantity(str(quantity)) * 1000)
    except ValueError:
        return 0


class Raising:
    """Those of one plan."""

    def __init__(
        self,
        record: tuple[Raise, ...],
        pods: tuple[PodView, ...],
        policy: Policy,
        now_s: float,
    ) -> None:
        self._before = {entry.uid: entry for entry in record if not entry.dry}
        self._pods = {pod.uid: pod for pod in pods}
        self._policy = policy
        self._now_s = now_s
        self._dry = policy.mode != "Enforce"
        self.record = tuple(self._carried_on(record))
        """All that is to stay on record; what is ``fresh`` comes to it."""
        self.fresh: list[Raise] = []

    def _carried_on(self, record: tuple[Raise, ...]) -> Iterator[Raise]:
        """What is spent goes. What was raised for a pod that is gone was raised all the same: else
        the budget would be as large as pods are short-lived."""
        for entry in record:
            if self._now_s < entry.spent_s:
                yield entry.seen(self._limit(entry), self._policy, self._now_s)

    def _limit(self, entry: Raise) -> CpuLimit | None:
        """Of its pod; None = it is gone."""
        pod = self._pods.get(entry.uid)
        return pod.cpu if pod is not None else None

    def here(self) -> Iterator[Raise]:
        """Of pods that are there: another pod may have the name of one that is gone."""
        return (entry for entry in (*self.record, *self.fresh) if entry.uid in self._pods)

    def takes(self, fault: Fault) -> bool:
        """Whether a cure of it is under way, or begins now: then nobody is left for it yet."""
        if fault.at != "Pod":
            return False
        (pod,) = fault.pods
        mine = [entry for entry in self.record if entry.dry == self._dry]
        known = [entry for entry in mine if entry.uid == pod.uid]
        if known or not self._may(pod, fault.cause, mine):
            return any(self._keeps(entry, pod) for entry in known)
        at_s = whole_s(self._now_s)
        to_m, end_s = self._policy.raise_to_m, later_s(self._now_s + APPLY_S)
        node, limit_m = pod.node, pod.cpu.limit_m
        self.fresh.append(Raise(pod.name, pod.uid, node, limit_m, to_m, at_s, end_s, dry=self._dry))
        return True

    def _keeps(self, entry: Raise, pod: PodView) -> bool:
        """The pod is not left now: the cure has not had its time, or nothing but an alert about
        what it has cured speaks against the pod."""
        cured = entry.outcome == "Set" and self._policy.own_look and pod.evidence.had
        only_alerts = pod.evidence.bad < self._policy.bad_windows
        old_news = cured and only_alerts and self._now_s < entry.until_s + ALERT_S
        return entry.holds(self._now_s) or old_news

    def _may(self, pod: PodView, cause: str, mine: list[Raise]) -> bool:
        """Its own quota is the cause, the bound leaves something, and so does the budget."""
        small = 0 < pod.cpu.limit_m < self._policy.raise_to_m
        begun = len(mine) + len(self.fresh)
        return cause == names.THROTTLE and small and begun < self._policy.pods_per_hour

    def due(self) -> tuple[Raise, ...]:
        """What is on record and is to be asked for; nothing once the pool is not to act."""
        if self._dry:
            return ()
        return tuple(entry for entry in self.record if self._is_due(entry))

    def _is_due(self, entry: Raise) -> bool:
        limit = self._limit(entry)
        return limit is not None and entry.is_due(limit, self._now_s)

    def ended(self) -> Iterator[Raise]:
        """What has just come to an end."""
        for entry in self.record:
            before = self._before.get(entry.uid)
            if entry.outcome and before is not None and not before.outcome and not entry.dry:
                yield entry

    def until_s(self) -> Iterator[float]:
        """When to look again, Unix time."""
        entries = (*self.record, *self.fresh)
        return (at_s for entry in entries for at_s in (entry.until_s, entry.spent_s))
