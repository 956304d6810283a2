"""What all pools have in common: pods of all namespaces, their nodes, and whose fault is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voiceroom_operator.observed import Standing
from voiceroom_operator.remediation.attribution import Fault, attribute
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.remediation.suspects import PodView, Suspect, is_witness, suspects


@dataclass(frozen=True, slots=True)
class Town:
    """Of one moment."""

    faults: tuple[Fault, ...] = ()
    suspects: Mapping[str, Suspect] = field(default_factory=dict)
    """By the pod's uid."""
    bad_nodes: frozenset[str] = frozenset()
    """Those with a pod that is a suspect, or nearly one."""
    shaky_nodes: frozenset[str] = frozenset()
    """Those with a pod whose newest second was not good."""


def survey(pods: Iterable[tuple[PodView, Policy]], now_s: float) -> Town:
    """Look at all ``pods``, each by its own pool's policy."""
    alive = [each for each in pods if each[0].node and each[0].standing is not Standing.LOST]
    found = suspects(alive, now_s)
    accused = {each.pod.uid: each for each in found}
    near = [(pod, policy) for pod, policy in alive if is_witness(pod, policy)]
    witnesses = [_witness(pod, now_s) for pod, _ in near if pod.uid not in accused]
    population = Counter(pod.node for pod, _ in alive)
    return Town(
        faults=tuple(attribute(found, witnesses, population)),
        suspects=accused,
        bad_nodes=frozenset({each.pod.node for each in found} | {pod.node for pod, _ in near}),
        shaky_nodes=frozenset(pod.node for pod, policy in alive if is_shaky(pod, policy)),
    )


def _witness(pod: PodView, now_s: float) -> Suspect:
    return Suspect(pod, pod.evidence.cause, tuple(now_s - ago for ago in pod.evidence.bad_ago_s))


def is_shaky(pod: PodView, policy: Policy) -> bool:
    """What was left is not trusted while this holds: stricter than what makes a suspect."""
    if pod.alarms:
        return True
    looks = policy.own_look and pod.evidence.had and pod.started_s > 0
    return looks and not pod.evidence.good
