"""Conditions, refusals, and when a status is written."""

import pytest

from voiceroom_operator.status.conditions import Condition, settle
from voiceroom_operator.status.refusals import refusal
from voiceroom_operator.status.writing import Write, worth_writing

NOW_S = 1_800_000_000.7
NOW = "2027-01-15T08:00:00Z"
THEN = "2026-11-23T12:00:00Z"


def written(kind: str, status: str) -> dict[str, object]:
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": THEN,
        "reason": "Old",
        "message": "old",
        "observedGeneration": 1,
    }


def test_the_time_is_kept_while_the_status_is_the_same() -> None:
    (only,) = settle([written("Ready", "True")], [Condition("Ready", "True", "New", "m")], 2, NOW_S)
    assert only == {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": THEN,
        "reason": "New",
        "message": "m",
        "observedGeneration": 2,
    }


@pytest.mark.parametrize("before", [[], [written("Ready", "False")], [{"type": "Ready"}]])
def test_a_change_has_the_time_of_now(before: list[dict[str, object]]) -> None:
    (only,) = settle(before, [Condition("Ready", "True", "New")], 2, NOW_S)
    assert only["lastTransitionTime"] == NOW


def test_conditions_of_others_are_left_alone() -> None:
    foreign = written("example.org/Audited", "True")
    after = settle([foreign], [Condition("Ready", "True", "New")], 2, NOW_S)
    assert foreign in after
    assert len(after) == 2


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (
            'pods "x" is forbidden: violates PodSecurity "baseline:latest": hostPort',
            "pod-security.kubernetes.io/enforce",
        ),
        ('pods "x" is forbidden: exceeded quota: q, requested: cpu=1', "ResourceQuota"),
        ("maximum cpu usage per Container is 500m, but limit is 1", "LimitRange"),
        ("0/2 nodes are available: 2 node(s) didn't have free ports for the", "udpPortCount"),
        ("Pod was rejected: SMTAlignmentError: requires 2 cpus", "physical cores"),
        ("0/2 nodes are available: 2 Insufficient cpu.", "add nodes"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.", "spec.tolerations"),
        ("1 node(s) didn't match Pod's node affinity/selector", "spec.nodeSelector"),
        ("1 node(s) didn't match pod topology spread constraints", "topologySpreadConstraints"),
        ("0/1 nodes are available: 1 node(s) were unschedulable.", "uncordon"),
        ('RuntimeClass "real-time" not found', "spec.runtimeClassName"),
        ("no PriorityClass with name high was found", "spec.priorityClassName"),
        ("Back-off pulling image: ImagePullBackOff", "spec.imagePullSecrets"),
        ('serviceaccount "mixer" not found', "ServiceAccount"),
        ("admission webhook denied the request: no", "policy"),
        ('pods is forbidden: User "system:x" cannot create resource', "rbac.create"),
        ("something that nobody has seen before", "kubectl describe pod"),
    ],
)
def test_a_refusal_is_quoted_and_has_a_remedy(words: str, remedy: str) -> None:
    message = refusal(words).message()
    assert words in message
    assert remedy in message


def test_a_refusal_is_one_line_of_bounded_length() -> None:
    message = refusal("a\n  b\t" + "x" * 5000).message()
    assert "a b x" in message
    assert "\n" not in message
    assert len(message) < 1500


SLOW = frozenset({"participants"})


@pytest.mark.parametrize(
    ("before", "after", "age_s", "write"),
    [
        ({"phase": "Ready"}, {"phase": "Ready"}, 99, Write(False)),
        ({"phase": "Ready"}, {"phase": "Moving"}, 0, Write(True, priority=1)),
        ({}, {"phase": "Ready"}, 0, Write(True, priority=1)),
        ({}, {"conditions": [{"type": "Ready", "status": "True"}]}, 0, Write(True, priority=0)),
        ({"podName": "p"}, {}, 0, Write(True, priority=1)),
        ({"participants": 1}, {"participants": 2}, 4, Write(False, 6.0)),
        ({"participants": 1}, {"participants": 2}, 10, Write(True, priority=2)),
        (
            {"participants": 1, "phase": "Ready"},
            {"participants": 2, "phase": "Moving"},
            0,
            Write(True, priority=1),
        ),
    ],
)
def test_what_changes_with_every_guest_is_written_now_and_then(
    before: dict[str, object], after: dict[str, object], age_s: float, write: Write
) -> None:
    assert worth_writing(before, after, SLOW, 1000.0, 1000.0 + age_s) == write
