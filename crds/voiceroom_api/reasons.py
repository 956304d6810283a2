"""What each condition and each of its reasons means, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voiceroom_api import names


@dataclass(frozen=True, slots=True)
class Condition:
    """One type of condition."""

    says: str
    reasons: Mapping[str, str]


_VERDICTS: Final = {
    names.STEP_ONE: "one clock of the machine jumped against the others",
    names.STEP_ALL: "all clocks jumped; only kernel sleeps show it",
    names.RATE: "the clock runs too fast or too slow",
    names.FREEZE: "the pod stood still, and all clocks agree on it",
    names.THROTTLE: "the pod used up its own CPU quota: raise resources.limits.cpu",
    names.STARVED: "the pod was runnable and got no CPU: another one, or the hypervisor, had it",
    names.GC: "garbage collection held the tick",
    names.GIL: "another thread held the interpreter",
    names.LOOP_BLOCK: "one call held the loop",
    names.OVERLOAD: "mixing takes longer than the frame: more pods, or fewer rooms in each",
}
_PLACE: Final = {
    names.WAITING_FOR_POD: "its pod is not ready yet",
    names.POD_REFUSED: "the cluster refuses the pod; the message has its words and the cure",
    names.NO_CAPACITY: "no pod has room: raise size.max or capacity, or add nodes",
}
_READY: Final = Condition(
    "it does what its spec wants",
    {names.AS_WANTED: "it does", **_PLACE, names.DRAIN: "it is being emptied"},
)
_ROOM_READY: Final = Condition(
    "people can join",
    {**_READY.reasons, names.POOL_NOT_FOUND: "there is no MixerPool of the name spec.poolName"},
)
_BOUND: Final = Condition(
    "a pod has the room",
    {
        names.POD_ASSIGNED: "status.podName names it",
        **_PLACE,
        names.POOL_NOT_FOUND: _ROOM_READY.reasons[names.POOL_NOT_FOUND],
    },
)
_REALTIME: Final = Condition(
    "the mode of spec.realtime is in force, as the pod found by trying",
    {
        names.GRANTED: "it is",
        names.NOT_REPORTED: "no pod has said yet (status Unknown)",
        names.MISSING_CAP_SYS_NICE: "SCHED_FIFO was refused: the pod lacks CAP_SYS_NICE, which "
        "takes a namespace that allows privileged pods",
        names.RT_GROUP_SCHED_BLOCKED: "SCHED_FIFO was refused: the node's kernel gives the pod's "
        "cgroup no real-time runtime (CONFIG_RT_GROUP_SCHED)",
        names.CPU_SHARED_NOT_EXCLUSIVE: "the CPUs are shared: the node's kubelet needs "
        "cpuManagerPolicy static",
        names.QUOTA_ACTIVE: "exclusive CPUs are throttled by a quota: kubelet 1.32 or newer "
        "lifts it",
        names.QUOTA_MISSING: "the node enforces no CPU quota",
        names.MEMLOCK_DENIED: "memory could not be locked: RLIMIT_MEMLOCK or CAP_IPC_LOCK",
    },
)
_TIMING: Final = Condition(
    "ticks are on time",
    {
        names.ON_TIME: "they are",
        names.NOT_REPORTED: "not measured yet (status Unknown)",
        names.LATE: "they are late, and the pod does not say why",
        names.NO_ANSWER: "the pod does not answer the operator",
        **{names.verdict_reason(verdict): meaning for verdict, meaning in _VERDICTS.items()},
    },
)
_MOVING: Final = Condition(
    "the room is on its way to another pod",
    {
        names.NOT_MOVING: "it is not",
        names.DRIFT: "its pod does not keep time",
        names.DRAIN: "its pod is being emptied",
        names.NODE_LOST: "its pod is silent",
        names.REQUESTED: f"a person asked for it ({names.MOVE_ANNOTATION})",
        names.SPEC_CHANGED: "poolName or placement changed, or the pool's pods are replaced",
        names.CANARY: "a canary takes the room on, or gives it back (spec.canary of a MixerPool)",
    },
)
_BLOCKED: Final = Condition(
    "a fault of the timer would not, or not fully, be remedied",
    {
        names.NOT_BLOCKED: "it would be",
        names.SWITCHED_OFF: 'remediation.mode is "Off"',
        names.DRY_RUN: "remediation.mode is DryRun: events say what would be done",
        names.COOLDOWN_ACTIVE: "moved not long ago: remediation.cooldown",
        names.BUDGET_EXHAUSTED: "too much was moved lately: remediation.budget",
        names.NO_CANDIDATE_NODE: "no other node is fit",
        names.STORM_ACTIVE: "pods are late on so many nodes at once (remediation.stormPercent) "
        "that moving would not help",
        names.NODES_NOT_READABLE: "the operator may not read nodes: install the ClusterRole that "
        "allows it",
    },
)
_ROOM_BLOCKED: Final = Condition(
    _BLOCKED.says, {**_BLOCKED.reasons, names.PAUSED: "spec.remediation.paused is set"}
)
VOICE_ROOM: Final[Mapping[str, Condition]] = {
    names.READY: _ROOM_READY,
    names.BOUND: _BOUND,
    names.REALTIME_GRANTED: _REALTIME,
    names.TIMING_HEALTHY: _TIMING,
    names.MOVING: _MOVING,
    names.REMEDIATION_BLOCKED: _ROOM_BLOCKED,
}
MIXER_POOL: Final[Mapping[str, Condition]] = {
    names.READY: _READY,
    names.REALTIME_GRANTED: _REALTIME,
    names.TIMING_HEALTHY: _TIMING,
    names.REMEDIATION_BLOCKED: _BLOCKED,
}
MARKS: Final[Mapping[str, str]] = {
    names.POOL_LABEL: "label of pods: the pool they belong to",
    names.OCCUPIED_LABEL: "label of pods: true while the pod has rooms or relays for some; such a "
    "pod is not evicted",
    names.AUTO_LABEL: "label of the pool default when the operator made it for a room that asked",
    names.SAFE_TO_EVICT_ANNOTATION: f"annotation of pods: the opposite of {names.OCCUPIED_LABEL}",
    names.MOVE_ANNOTATION: 'annotation of VoiceRooms, {"id", "to"?, "why"}: asks for a move',
    names.CANARY_ANNOTATION: 'annotation of MixerPools with spec.canary, {"id", "do": Promote, '
    'RollBack or Retry, "why"}: a person decides',
    names.POOL_FINALIZER: "finalizer of MixerPools: released when its pods have drained and gone",
    names.TIMING_TAINT: "taint of nodes, degraded:NoSchedule: quarantine, where "
    "remediation.quarantine is Taint",
}
"""Labels, annotations, the finalizer and the taint, and what each means."""
