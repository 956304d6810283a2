"""Refusals of the cluster, and what a person can change so that they end.

A refusal is what the API server, the scheduler or a kubelet says. Its words are quoted whole: the
remedy is added, never put in their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_CHARS: Final = 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the cluster does not take a pod, or what a pool needs beside its pods."""

    words: str
    """The cluster's own."""
    remedy: str
    what: str = "the pod"

    def message(self) -> str:
        """For the condition."""
        return f"the cluster refuses {self.what}: {self.words[:_CHARS]}; {self.remedy}"


_REMEDIES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), remedy)
    for pattern, remedy in (
        (
            r"violates PodSecurity",
            "let the namespace take such pods (label pod-security.kubernetes.io/enforce: "
            "privileged), or choose a realtime.mode and a network.mode that need less",
        ),
        (
            r"exceeded quota|failed quota",
            "raise the ResourceQuota of the namespace, or lower size.max or resources of the pool",
        ),
        (
            r"(maximum|minimum) (cpu|memory) usage|per (Container|Pod) is|limit to request ratio",
            "fit spec.resources of the pool into the LimitRange of the namespace, or change that",
        ),
        (
            r"free ports",
            "give the pool another range (network.udpPort, network.udpPortCount), or add nodes",
        ),
        (
            r"SMTAlignment|UnexpectedAdmissionError|Topology ?Affinity",
            "ask for whole physical cores (resources.limits.cpu a multiple of the threads of "
            "one), or use nodes whose kubelet has enough exclusive CPUs free",
        ),
        (
            r"Insufficient (cpu|memory|ephemeral-storage|pods)|Too many pods|OutOf(cpu|memory)",
            "add nodes, or lower spec.resources or size of the pool",
        ),
        (
            r"untolerated taint|didn't tolerate",
            "add the taint to spec.tolerations of the pool, or untaint nodes for it",
        ),
        (
            r"didn't match Pod's node affinity|node selector|volume node affinity",
            "correct spec.nodeSelector or spec.affinity of the pool, or label nodes for it",
        ),
        (r"topology spread", "relax spec.topologySpreadConstraints of the pool, or add nodes"),
        (
            r"were unschedulable|was unschedulable",
            "uncordon a node (kubectl uncordon NODE), or add one",
        ),
        (
            r"RuntimeClass",
            "make the RuntimeClass, or correct spec.runtimeClassName of the pool",
        ),
        (r"PriorityClass", "make the PriorityClass, or correct spec.priorityClassName of the pool"),
        (
            r"ImagePull|ErrImage|InvalidImageName|pull access denied|manifest unknown",
            "correct spec.image of the pool, or give it spec.imagePullSecrets",
        ),
        (r"is there and is not of MixerPool", "delete it, or give the pool another name"),
        (r"serviceaccount .* not found", "make the ServiceAccount that mixer pods are to use"),
        (
            r"admission webhook|ValidatingAdmissionPolicy",
            "change the policy so that it takes the pods of voiceroom, or the pool so that it fits",
        ),
        (
            r"is forbidden: .* cannot|User .* cannot",
            "give the operator's ServiceAccount the right that is missing (chart: rbac.create)",
        ),
    )
)
_OTHERWISE: Final = "change the pool so that the cluster takes it; kubectl describe pod says more"


def refusal(words: str, what: str = "the pod") -> Refusal:
    """``words``: the message of the API error, of the condition PodScheduled, or of the pod's or
    the container's status."""
    text = " ".join(words.split())
    fits = (remedy for pattern, remedy in _REMEDIES if pattern.search(text))
    return Refusal(text, next(fits, _OTHERWISE), what)
