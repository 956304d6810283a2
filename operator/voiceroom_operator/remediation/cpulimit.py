"""The CPU time that a pod may have: by its spec, and as the kernel has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Refused = Literal["", "Refused", "Deferred", "Infeasible"]
"""Refused: by the API server. The others: by the kubelet (condition PodResizePending)."""


@dataclass(frozen=True, slots=True)
class CpuLimit:
    """Of one mixer pod, in thousandths of a CPU; 0 = not known, or none."""

    limit_m: int = 0
    """Of its spec: what is asked for."""
    quota_m: int = 0
    """As the mixer reads it back from its cgroup: what the kubelet really set."""
    refused: Refused = ""
    """Why what is asked for is not what it has."""
    why: str = ""
    """In the words of whoever refused."""
