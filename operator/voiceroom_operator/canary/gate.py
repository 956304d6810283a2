"""The gate as numbers: ``spec.canary.gate`` of a MixerPool, and its profile."""

from __future__ import annotations

from dataclasses import dataclass

from voiceroom_api.canary import Gate as GateSpec
from voiceroom_api.duration import parse_duration
from voiceroom_api.thresholds import PROFILES


@dataclass(frozen=True, slots=True)
class Gate:
    """Of one canary. Times in seconds."""

    lateness_window_s: int = 300
    max_us: int = 2000
    """p99 of lateness has to be below it."""
    min_ticks: int = 3000
    jitter_window_s: int = 3600
    jitter_share: float = 0.92
    """The share of samples of at most 30 ms has to be above it."""
    min_samples: int = 600
    recoveries_window_s: int = 604_800
    recoveries_share: float = 0.9
    """The share of faults that were recovered from has to be above it."""
    min_faults: int = 0
    observe_s: int = 3600
    deadline_s: int = 600
    max_restarts: int = 2


def gate_of(spec: GateSpec, profile: str) -> Gate:
    """As the pool's spec has it."""
    own_us = spec.lateness.max_us
    return Gate(
        lateness_window_s=parse_duration(spec.lateness.window),
        max_us=PROFILES[profile].canary_us if own_us is None else own_us,
        min_ticks=spec.lateness.min_ticks,
        jitter_window_s=parse_duration(spec.jitter.window),
        jitter_share=spec.jitter.min_share,
        min_samples=spec.jitter.min_samples,
        recoveries_window_s=parse_duration(spec.recoveries.window),
        recoveries_share=spec.recoveries.min_share,
        min_faults=spec.recoveries.min_faults,
        observe_s=parse_duration(spec.observe),
        deadline_s=parse_duration(spec.deadline),
        max_restarts=spec.max_restarts,
    )
