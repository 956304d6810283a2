"""Names that people, clusters and programs rely on: once released they do not change."""

from __future__ import annotations

from typing import Final

GROUP: Final = "voiceroom.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
VOICE_ROOM: Final = "VoiceRoom"
MIXER_POOL: Final = "MixerPool"
CATEGORY: Final = "voice"
"""Not the singular of a kind: kubectl would take `kubectl get voiceroom lobby` for the category."""

# Labels, annotations, the finalizer
POOL_LABEL: Final = "voiceroom.dev/pool"
OCCUPIED_LABEL: Final = "voiceroom.dev/occupied"
AUTO_LABEL: Final = "voiceroom.dev/auto"
MOVE_ANNOTATION: Final = "voiceroom.dev/move"
CANARY_ANNOTATION: Final = "voiceroom.dev/canary"
SAFE_TO_EVICT_ANNOTATION: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
POOL_FINALIZER: Final = "voiceroom.dev/drain"
TIMING_TAINT: Final = "voiceroom.dev/timing"

# The doors on nodes for faults on order
CHAOS_SECRET: Final = "voiceroom-chaos-door"
CHAOS_COMPONENT: Final = "chaos-door"

# Phases of a VoiceRoom
PENDING: Final = "Pending"
READY: Final = "Ready"
MOVING: Final = "Moving"
DEGRADED: Final = "Degraded"
DRAINING: Final = "Draining"
FAILED: Final = "Failed"
PHASES: Final = (PENDING, READY, MOVING, DEGRADED, DRAINING, FAILED)

# Condition types; Ready and Moving are as above
BOUND: Final = "Bound"
REALTIME_GRANTED: Final = "RealtimeGranted"
TIMING_HEALTHY: Final = "TimingHealthy"
REMEDIATION_BLOCKED: Final = "RemediationBlocked"
VOICE_ROOM_CONDITIONS: Final = (
    READY,
    BOUND,
    REALTIME_GRANTED,
    TIMING_HEALTHY,
    MOVING,
    REMEDIATION_BLOCKED,
)
MIXER_POOL_CONDITIONS: Final = (READY, REALTIME_GRANTED, TIMING_HEALTHY, REMEDIATION_BLOCKED)

# Verdicts on a timer
STEP_ONE: Final = "step-one"
STEP_ALL: Final = "step-all"
RATE: Final = "rate"
FREEZE: Final = "freeze"
THROTTLE: Final = "throttle"
STARVED: Final = "starved"
GC: Final = "gc"
GIL: Final = "gil"
LOOP_BLOCK: Final = "loop-block"
OVERLOAD: Final = "overload"
VERDICTS: Final = (
    STEP_ONE,
    STEP_ALL,
    RATE,
    FREEZE,
    THROTTLE,
    STARVED,
    GC,
    GIL,
    LOOP_BLOCK,
    OVERLOAD,
)


def verdict_reason(verdict: str) -> str:
    """The condition reason for a verdict: ``LoopBlock`` for ``loop-block``."""
    return "".join(word.capitalize() for word in verdict.split("-"))


# Condition reasons; ``reasons`` says what each means
AS_WANTED: Final = "AsWanted"
WAITING_FOR_POD: Final = "WaitingForPod"
POOL_NOT_FOUND: Final = "PoolNotFound"
NO_CAPACITY: Final = "NoCapacity"
POD_REFUSED: Final = "PodRefused"
DRAIN: Final = "Drain"
POD_ASSIGNED: Final = "PodAssigned"
GRANTED: Final = "Granted"
NOT_REPORTED: Final = "NotReported"
MISSING_CAP_SYS_NICE: Final = "MissingCapSysNice"
RT_GROUP_SCHED_BLOCKED: Final = "RTGroupSchedBlocked"
QUOTA_ACTIVE: Final = "QuotaActive"
QUOTA_MISSING: Final = "QuotaMissing"
CPU_SHARED_NOT_EXCLUSIVE: Final = "CPUSharedNotExclusive"
MEMLOCK_DENIED: Final = "MemlockDenied"
ON_TIME: Final = "OnTime"
LATE: Final = "Late"
NO_ANSWER: Final = "NoAnswer"
NOT_MOVING: Final = "NotMoving"
DRIFT: Final = "Drift"
NODE_LOST: Final = "NodeLost"
REQUESTED: Final = "Requested"
SPEC_CHANGED: Final = "SpecChanged"
CANARY: Final = "Canary"
NOT_BLOCKED: Final = "NotBlocked"
SWITCHED_OFF: Final = "SwitchedOff"
DRY_RUN: Final = "DryRun"
PAUSED: Final = "Paused"
COOLDOWN_ACTIVE: Final = "CooldownActive"
BUDGET_EXHAUSTED: Final = "BudgetExhausted"
NO_CANDIDATE_NODE: Final = "NoCandidateNode"
STORM_ACTIVE: Final = "StormActive"
NODES_NOT_READABLE: Final = "NodesNotReadable"
CANARY_REASONS: Final = (
    WAITING_FOR_POD,
    POOL_NOT_FOUND,
    "OfIsCanary",
    "AnotherCanary",
    PAUSED,
    "Observing",
    "NoPod",
    "TooFewSamples",
    "GatePassed",
    REQUESTED,
    "PromotionRefused",
    "Rolling",
    "RolledOut",
    "NotReady",
    "Crashed",
    "Overruled",
    "LatenessAboveLimit",
    "JitterShareTooLow",
    "RecoveryShareTooLow",
)
"""Of ``status.canary``."""
