"""A bad timer moves the room by Prometheus and Alertmanager alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.drift import EAGER, Call, a_call, lead_from, node_of
from harness.voice import Voice, until
from localcluster import monitoring, realtime
from localcluster.cluster import Cluster
from localcluster.monitoring import Monitoring
from localcluster.own import Own

pytestmark = pytest.mark.timeout(540)
PROMISED_S = 120.0
KNOWN_S = 240
"""Of a pod that has just begun nothing is said for two minutes."""
QUIET_S = 90
BY_ALERTS = EAGER | {"ownLook": False}
KNOWN = "voiceroom:ready:max15m_before2m and on (namespace, pod) voiceroom:ticks_lost:ratio_rate1m"


@pytest.fixture(scope="module")
def watch(installed: Cluster | Own) -> Iterator[Monitoring]:
    """Both, with the rules that we ship and the settings of docs/alerts.md."""
    if isinstance(installed, Own):
        pytest.skip("needs a cluster of this machine, and KUBECONFIG names another")
    with monitoring.watched(installed) as watching:
        yield watching


@contextmanager
def a_known_call(voice: Voice, watch: Monitoring) -> Iterator[Call]:
    """Prometheus has measured both pods for a while, nothing fires, and the operator that leads is
    not on the room's node."""
    with a_call(voice, remediation=BY_ALERTS) as call:
        lead_from(voice.cluster, off=call.node)
        until(lambda: known(voice, watch) == 2, KNOWN_S, "both pods are measured")
        until(lambda: not watch.firing(voice.namespace), KNOWN_S, "nothing fires")
        yield call


def known(voice: Voice, watch: Monitoring) -> int:
    """How many of its pods alerts may be about."""
    pods = (labels for labels, _ in watch.query(KNOWN))
    return sum(labels["namespace"] == voice.namespace for labels in pods)


def left(voice: Voice) -> set[str]:
    """Nodes that are on record as such that do not keep time."""
    nodes = voice.get("mixerpool", "default")["status"].get("nodes", [])
    return {node["name"] for node in nodes if "quarantinedUntil" in node}


@pytest.mark.timing
def test_a_stalled_node_is_left_by_alerts_alone(voice: Voice, watch: Monitoring) -> None:
    with a_known_call(voice, watch) as call:
        node, pod = call.node, call.pod
        with realtime.stalled(node_of(voice, node)):
            # the twin may have taken the room over by itself: the decision has to come as well
            took_s = until(lambda: left(voice) == {node}, PROMISED_S, "the node is left")
            rest_s = until(lambda: call.node != node, PROMISED_S - took_s, "the room as well")
            fires = watch.firing(voice.namespace)
            print(f"left after {took_s:.1f} s, the room {rest_s:.1f} s later, for {sorted(fires)}")
            assert {at for _, at in fires} == {pod}
            call.goes_on()
    assert "DriftOfNode" in voice.reasons()


@pytest.mark.timing
def test_a_call_on_nodes_that_keep_time_raises_nothing(voice: Voice, watch: Monitoring) -> None:
    with a_known_call(voice, watch) as call:
        pod = call.pod
        call.bob.wait_packets(50 * QUIET_S, timeout_s=QUIET_S + 30)
        assert watch.firing(voice.namespace) == set()
        assert call.pod == pod
    (always,) = watch.query('ALERTS{alertname="VoiceroomWatchdog",alertstate="firing"}')
    assert always[1] == 1
