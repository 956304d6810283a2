"""A pod that its own quota throttles: more CPU where it is, and a move only where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.drift import IN_PLACE, WHOLE, a_call, main_container, throttled
from harness.voice import Voice, until
from localcluster import cgroups

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
SQUEEZED = {"limits": {"cpu": "60m"}, "requests": {"cpu": "50m"}}
RAISED_S = 30.0
CALM_S = 5
"""Of calls that are listened to once the limit is raised, in seconds."""


def quota(container: Path) -> str:
    """As the kubelet has set it, in microseconds of each 100 ms."""
    name = "cpu.cfs_quota_us" if cgroups.find().is_v1 else "cpu.max"
    return (container / name).read_text().split()[0]


def throttled_periods(container: Path) -> int:
    """So far."""
    lines = (container / "cpu.stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("nr_throttled"))


def squeeze(voice: Voice, pod: str) -> None:
    """The pod gets less CPU than it needs, by its own limit: in place, by its kubelet."""
    patch = {"spec": {"containers": [{"name": "mixer", "resources": SQUEEZED}]}}
    voice.kubectl("patch", "pod", pod, "--subresource=resize", "--patch", json.dumps(patch))


def outcomes(voice: Voice) -> list[str]:
    """Of raised limits, by the pool's status."""
    budget = voice.get("mixerpool", "default")["status"].get("budget", {})
    return [entry.get("outcome", "") for entry in budget.get("raises", [])]


def until_raised(voice: Voice, mixer: Path, pod: str) -> float:
    """Until the kubelet has set twice the pool's limit, in seconds."""
    try:
        return until(lambda: quota(mixer) == "140000", RAISED_S, "twice the pool's limit")
    except (AssertionError, FileNotFoundError) as error:
        status = voice.get("mixerpool", "default")["status"]
        body = voice.get("pod", pod)
        said = (status.get("budget"), status["conditions"], body["status"]["conditions"])
        raise AssertionError(f"{error}; {said}; {sorted(voice.reasons())}") from None


def test_a_throttled_pod_gets_more_cpu_and_no_room_moves(watched: Voice) -> None:
    with a_call(watched, remediation=IN_PLACE) as call:
        pod, uids, begun = call.pod, watched.uids(), len(call.bob.heard)
        mixer = main_container(watched, pod)
        squeeze(watched, pod)
        until(lambda: quota(mixer) == "6000", 20, "the kubelet has set the small quota")
        took_s = until_raised(watched, mixer, pod)
        until(lambda: outcomes(watched) == ["Set"], 20, "the mixer has read it back")
        watched.reads("mixerpool", "default", "TimingHealthy", "True", "OnTime", within_s=30)
        calm, heard = throttled_periods(mixer), len(call.bob.heard)
        call.bob.wait_packets(50 * CALM_S, timeout_s=3 * CALM_S)
        after = call.passage(heard)
        print(
            f"raised after {took_s:.1f} s; until then {call.passage(begun)}; after it {after}; "
            f"throttled {throttled_periods(mixer) - calm} periods more"
        )
        assert throttled_periods(mixer) - calm <= 1
        assert (call.pod, watched.uids()) == (pod, uids)
        assert call.last_move == {}
        call.goes_on()
        assert {"CpuLimitRaised", "CpuLimitSet"} <= watched.reasons()
        assert "DriftOfPod" not in watched.reasons()


def test_where_the_kubelet_gives_no_more_its_rooms_move(watched: Voice) -> None:
    """Nodes with a static CPU manager resize no Guaranteed pod."""
    resources = {"limits": WHOLE, "requests": WHOLE}
    with a_call(watched, remediation=IN_PLACE, resources=resources) as call:
        pod = call.pod
        with throttled(watched, pod):
            took_s = until(lambda: call.pod != pod, RAISED_S, "the room is elsewhere")
            call.goes_on()
        print(f"refused in place: away after {took_s:.1f} s; {call.last_move}")
        assert outcomes(watched) == ["Infeasible"]
        assert {"CpuLimitRaised", "CpuLimitNotSet", "DriftOfPod"} <= watched.reasons()
