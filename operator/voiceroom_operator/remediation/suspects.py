"""Which pods are suspected, of what, and by whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from voiceroom_operator.observed import Standing
from voiceroom_operator.remediation.cpulimit import CpuLimit
from voiceroom_operator.remediation.evidence import LATE, Evidence
from voiceroom_operator.remediation.policy import Policy


@dataclass(frozen=True, slots=True)
class Alarm:
    """A firing alert that names a pod, or a node when ``pod`` is empty."""

    key: str
    """Fingerprint and start: the same for every delivery of the same alert."""
    since_s: float
    until_s: float
    """It counts until then unless it is sent again."""
    cause: str = ""
    """Of ``names.VERDICTS`` when the alert says it."""
    pod: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class PodView:
    """A mixer pod as remediation looks at it, of any pool and namespace."""

    name: str
    uid: str
    namespace: str = ""
    pool: str = ""
    node: str = ""
    started_s: float = 0.0
    """When its container began, Unix time; 0 = it does not run, or is on its way: such a pod is
    left to its kubelet."""
    standing: Standing = Standing.SERVING
    headroom: float | None = None
    cpu: CpuLimit = field(default_factory=CpuLimit)
    evidence: Evidence = field(default_factory=Evidence)
    alarms: tuple[Alarm, ...] = ()
    """Those that name it, or its node alone."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A pod that is as bad as the guard rails ask for."""

    pod: PodView
    cause: str
    bad_at_s: tuple[float, ...]
    """Bad seconds, Unix time by the operator's clock."""
    of_node: bool = False
    """An alert about the node alone says it."""


def suspects(pods: Iterable[tuple[PodView, Policy]], now_s: float) -> list[Suspect]:
    """Those of ``pods`` that are to be acted on, each by its own pool's policy."""
    found = (suspect(pod, policy, now_s) for pod, policy in pods)
    return [each for each in found if each is not None]


def suspect(pod: PodView, policy: Policy, now_s: float) -> Suspect | None:
    """One pod. An alert makes a single bad window enough; where nothing of one's own can be had,
    or where the pool trusts alerts, it is enough by itself."""
    if not pod.node or not _is_old_enough(pod, policy, now_s):
        return None
    had = policy.own_look and pod.evidence.had
    bad = pod.evidence.bad if had else 0
    if bad >= policy.bad_windows or (pod.alarms and bad):
        at_s = tuple(now_s - ago for ago in pod.evidence.bad_ago_s)
        return Suspect(pod, pod.evidence.cause or LATE, at_s)
    if pod.alarms and trusts(policy, had):
        return _accused(pod)
    return None


def trusts(policy: Policy, had: bool) -> bool:
    """Whether an alert alone is enough; ``had``: there are measurements of one's own."""
    return not had if policy.trust_alerts is None else policy.trust_alerts


def _accused(pod: PodView) -> Suspect:
    alarm = min(pod.alarms, key=lambda alarm: (not alarm.pod, not alarm.cause, alarm.since_s))
    return Suspect(pod, alarm.cause or LATE, (alarm.since_s,), of_node=not alarm.pod)


def unconfirmed(pod: PodView, policy: Policy) -> bool:
    """An alert names the pod, and one's own look finds nothing: nothing is done."""
    had = policy.own_look and pod.evidence.had
    return bool(pod.alarms) and had and not pod.evidence.bad and not trusts(policy, had)


def is_witness(pod: PodView, policy: Policy) -> bool:
    """Nearly a suspect: bad enough to speak against its node, and to take no room."""
    had = policy.own_look and pod.evidence.had and pod.started_s > 0
    return bool(pod.alarms) or (had and pod.evidence.bad >= policy.nearly_bad)


def is_fit(pod: PodView, policy: Policy, now_s: float) -> bool:
    """A place to go to: it has kept time for ``minHealthyAge``. Of one that shows no seconds only
    its age is known."""
    if pod.standing is not Standing.SERVING or not pod.node or is_witness(pod, policy):
        return False
    if policy.own_look and pod.evidence.had:
        return pod.evidence.steady
    return _is_old_enough(pod, policy, now_s)


def _is_old_enough(pod: PodView, policy: Policy, now_s: float) -> bool:
    return pod.started_s > 0 and now_s - pod.started_s >= policy.min_healthy_age_s
