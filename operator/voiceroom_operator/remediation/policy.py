"""The guard rails as numbers: ``spec.remediation`` of a MixerPool, and its profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from voiceroom_api.duration import parse_duration
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.quantity import parse_quantity
from voiceroom_api.thresholds import PROFILES, Threshold

Mode = Literal["Off", "DryRun", "Enforce"]
HOUR_S: Final = 3600.0
SLACK_S: Final = 10.0
"""A quarantine that lasts is put off by so much more than needed, so that it is not written each
second."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Of one pool. Times in seconds."""

    mode: Mode = "Enforce"
    window_s: int = 1
    bad_windows: int = 3
    of_windows: int = 5
    min_healthy_age_s: float = 10.0
    cooldown_s: float = 60.0
    cooldown_max_s: float = HOUR_S
    nodes_at_once: int = 1
    pods_per_hour: int = 3
    storm_percent: int = 30
    healthy_delay_s: float = 300.0
    taints: bool = False
    """Quarantine is a taint of the node as well."""
    raise_to_m: int = 0
    """Up to which the CPU limit of a pod that its own quota throttles is raised in place, in
    thousandths of a CPU; 0 = it is not."""
    own_look: bool = True
    trust_alerts: bool | None = None
    """None: alerts suffice where the own look is off or cannot be had."""
    threshold: Threshold = field(default_factory=lambda: PROFILES["vm"])

    @property
    def span_s(self) -> int:
        """How far back is looked, in seconds."""
        return self.window_s * self.of_windows

    @property
    def keep_s(self) -> int:
        """Seconds that have to be remembered of each pod."""
        return max(self.span_s, int(self.min_healthy_age_s)) + 1

    @property
    def nearly_bad(self) -> int:
        """So many bad windows make a pod a witness, and no place to go to."""
        return max(1, self.bad_windows - 1)

    def cooldown_after(self, level: int) -> float:
        """How long a room stays after its ``level``th move in a row."""
        doubled = self.cooldown_s * 2.0 ** min(max(level, 1) - 1, 32)
        return min(doubled, self.cooldown_max_s)


def policy_of(spec: MixerPoolSpec) -> Policy:
    """As the pool's spec has it."""
    own = spec.remediation
    return Policy(
        mode=own.mode,
        window_s=parse_duration(own.window),
        bad_windows=own.bad_windows,
        of_windows=own.of_windows,
        min_healthy_age_s=float(parse_duration(own.min_healthy_age)),
        cooldown_s=float(parse_duration(own.cooldown)),
        cooldown_max_s=float(parse_duration(own.cooldown_max)),
        nodes_at_once=own.budget.nodes_at_once,
        pods_per_hour=own.budget.pods_per_hour,
        storm_percent=own.storm_percent,
        healthy_delay_s=float(parse_duration(own.healthy_delay)),
        taints=own.quarantine == "Taint",
        raise_to_m=_raise_to_m(spec),
        own_look=own.own_look,
        trust_alerts=own.trust_alerts,
        threshold=PROFILES[spec.timing.profile],
    )


def _raise_to_m(spec: MixerPoolSpec) -> int:
    """CPUs of one's own have no quota that could be raised."""
    percent = spec.remediation.cpu_limit_percent
    if spec.realtime.whole_cpus or percent <= 100:
        return 0
    return int(parse_quantity(spec.resources.limits.cpu) * 10 * percent)
