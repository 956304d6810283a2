"""Pods that the cluster refuses: the room and its pool say which rule, and what to change."""

from __future__ import annotations

from typing import Any

import pytest

from harness.voice import SMALL, Voice, until

pytestmark = pytest.mark.timeout(240)


def refused(voice: Voice, pool: str = "default") -> str:
    """What both say; they agree."""
    said = voice.reads("voiceroom", "lobby", "Ready", "False", "PodRefused")
    assert voice.reads("mixerpool", pool, "Ready", "False", "PodRefused")
    return said


def rule(kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "small"}, "spec": spec}


def test_a_quota_that_is_used_up(voice: Voice) -> None:
    voice.apply(rule("ResourceQuota", hard={"limits.memory": "100Mi", "limits.cpu": "10m"}))
    voice.room("lobby")
    said = refused(voice)
    assert "exceeded quota: small" in said
    voice.kubectl("delete", "resourcequota", "small")
    voice.ready("lobby")


def test_a_limit_range_that_allows_less(voice: Voice) -> None:
    voice.apply(rule("LimitRange", limits=[{"type": "Container", "max": {"memory": "64Mi"}}]))
    voice.room("lobby")
    said = refused(voice)
    assert "memory" in said
    assert "64Mi" in said
    voice.kubectl("delete", "limitrange", "small")
    voice.ready("lobby")


def test_pod_security_that_forbids_ports_of_the_node(voice: Voice) -> None:
    label = "pod-security.kubernetes.io/enforce"
    voice.cluster.kubectl("label", "namespace", voice.namespace, f"{label}=restricted")
    voice.room("lobby")
    said = refused(voice)
    assert "hostPort" in said
    voice.cluster.kubectl("label", "namespace", voice.namespace, f"{label}-")
    voice.ready("lobby")


def test_more_than_any_node_has(voice: Voice) -> None:
    huge = {"limits": {"cpu": "64", "memory": "1Ti"}}
    voice.pool("default", resources=huge)
    voice.room("lobby")
    said = refused(voice)
    assert "cpu" in said.lower()
    voice.pool("default", resources=SMALL)
    voice.ready("lobby")


def test_an_image_that_is_not_there(voice: Voice) -> None:
    voice.pool("default", image="localhost/nobody:0", imagePullPolicy="Never")
    voice.room("lobby")
    until(lambda: _why(voice), 60, "it says why")
    assert "localhost/nobody:0" in _why(voice)


def _why(voice: Voice) -> str:
    said = voice.condition("voiceroom", "lobby", "Ready")
    return str(said["message"]) if "localhost/nobody" in said.get("message", "") else ""
