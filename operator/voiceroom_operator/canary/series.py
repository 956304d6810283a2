"""Counts over a window of time: a dozen slots, each the sum of what came while it was newest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from voiceroom_operator.canary.counts import Counts, Vector, added
from voiceroom_operator.canary.gate import Gate

SLOTS: Final = 12
MOST: Final = 16


@dataclass(frozen=True, slots=True)
class Slot:
    """One part of a window."""

    at_s: float
    """Unix time at which it began, whole seconds."""
    sum: Vector


Series = tuple[Slot, ...]
"""The oldest first."""


def taken(series: Series, sample: Vector, window_s: int, now_s: float) -> Series:
    """With ``sample`` counted, and without what lies before the window."""
    width_s = max(1.0, window_s / SLOTS)
    kept = tuple(slot for slot in series if slot.at_s + width_s > now_s - window_s)
    newest = kept[-1] if kept else None
    if newest is not None and now_s < newest.at_s + width_s:
        return (*kept[:-1], replace(newest, sum=added(newest.sum, sample)))
    return (*kept, Slot(float(int(now_s)), sample))[-MOST:]


def total(series: Series, empty: Vector) -> Vector:
    """All of it."""
    found = empty
    for slot in series:
        found = added(found, slot.sum)
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted of all pods of a canary, over the windows of its gate."""

    since_s: float
    """Since when somebody has been counting without a break."""
    late: Series = ()
    jitter: Series = ()
    recoveries: Series = ()
    pods: dict[str, Counts] = field(default_factory=dict)
    """As they stood at the last look, by the pod's uid; never changed."""

    def looked(self, pods: dict[str, Counts], gate: Gate, now_s: float) -> Seen:
        """After a look at ``pods``, by uid."""
        late, jitter, recoveries = Counts().late, Counts().jitter, Counts().recoveries
        for uid, counts in pods.items():
            new = counts.since(self.pods.get(uid))
            late, jitter = added(late, new.late), added(jitter, new.jitter)
            recoveries = added(recoveries, new.recoveries)
        return Seen(
            self.since_s,
            taken(self.late, late, gate.lateness_window_s, now_s),
            taken(self.jitter, jitter, gate.jitter_window_s, now_s),
            taken(self.recoveries, recoveries, gate.recoveries_window_s, now_s),
            dict(pods),
        )
