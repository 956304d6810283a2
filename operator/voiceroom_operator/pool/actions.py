"""What a pool's plan consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voiceroom_operator.observed import DrainReason

FinalizerStep = Literal["", "add", "release"]


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Make a pod of the pool's revision."""

    name: str
    ports: tuple[int, ...]
    """Its block; empty with network.mode PodIP."""


@dataclass(frozen=True, slots=True)
class DeletePod:
    """End a pod, if it is still the one with this ``uid``."""

    name: str
    uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class PatchPod:
    """Change labels and annotations of a pod; None = leave as it is."""

    name: str
    uid: str
    occupied: bool | None = None
    """Label ``voiceroom.dev/occupied``; the annotation safe-to-evict is its opposite. False also
    writes when the pod became idle: now."""
    drain: DrainReason | None = None
    """Take it out of service, and why, from now on; empty = it may serve again."""


@dataclass(frozen=True, slots=True)
class Note:
    """Why the plan is as it is, for events and the condition Ready."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """What to do next, in this order: finalizer "add", patch, create, delete, "release"."""

    create: tuple[CreatePod, ...] = ()
    delete: tuple[DeletePod, ...] = ()
    patch: tuple[PatchPod, ...] = ()
    finalizer: FinalizerStep = ""
    requeue_after_s: float | None = None
    """Look again by then even if nothing happens; None = only when something does."""
    target: int = 0
    """Pods there should be, those on their way out apart."""
    notes: tuple[Note, ...] = ()

    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.create or self.delete or self.patch or self.finalizer)
