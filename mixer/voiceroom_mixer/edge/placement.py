"""Which CPUs of a pod's own each process gets, in the modes that ask for whole ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from voiceroom_mixer.config import RealtimeAsk


@dataclass(frozen=True, slots=True)
class Shares:
    """Empty tuples: leave it to the scheduler."""

    media: tuple[tuple[int, ...], ...]
    """By the index of the media process."""
    control: tuple[int, ...] = ()
    control_idle: bool = False
    """Control has no CPU beside media's: it runs only when media does not (SCHED_IDLE)."""


def share_out(ask: RealtimeAsk | None, cpus: Sequence[int], processes: int) -> Shares:
    """``cpus``: where the pod may run. They are its own when they are as many as were asked for:
    a container without exclusive CPUs is given all that the node shares out."""
    if ask is None or not ask.whole_cpus or len(cpus) != ask.cpus:
        return Shares(media=((),) * processes)
    media = tuple((cpus[index % len(cpus)],) for index in range(processes))
    if len(cpus) <= processes:
        return Shares(media, control_idle=True)
    return Shares(media, control=tuple(cpus[processes:]))


def settle_control(ask: RealtimeAsk | None, processes: int) -> str:
    """Put the calling process where control belongs; what was refused, empty when nothing was."""
    cpus = sorted(os.sched_getaffinity(0))
    shares = share_out(ask, cpus, processes)
    try:
        if shares.control:
            os.sched_setaffinity(0, shares.control)
        if shares.control_idle:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError as error:
        return f"control stays where it is: {error.strerror}"
    return ""
