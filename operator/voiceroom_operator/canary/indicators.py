"""The three indicators of a grey release: what was measured, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from voiceroom_operator.canary.counts import Counts, Vector, quantile_us
from voiceroom_operator.canary.gate import Gate
from voiceroom_operator.canary.series import MOST, Seen, Series, Slot, total
from voiceroom_operator.reading.scalars import unix_s
from voiceroom_operator.status.conditions import timestamp

Name = Literal["Lateness", "Jitter", "Recoveries"]
Verdict = Literal["Good", "Bad", "TooFew"]
NAMES: Final[tuple[Name, ...]] = get_args(Name)
P99: Final = 0.99


@dataclass(frozen=True, slots=True)
class Indicator:
    """One of them."""

    name: Name
    verdict: Verdict
    value: float | None
    """Lateness in microseconds, the others shares; None without samples."""
    limit: float
    """Lateness has to be below it, the others above."""
    samples: int
    needed: int
    slots: Series = ()
    """Of good ones and all, for the next operator."""

    def words(self) -> str:
        """In a sentence."""
        if self.value is None:
            return f"{_WHAT[self.name]}: no samples yet, {self.needed} are needed"
        few = f", {self.needed} are needed" if self.verdict == "TooFew" else ""
        if self.name == "Lateness":
            found = f"{self.value:.0f} us, limit {self.limit:.0f} us"
        else:
            found = f"{self.value:.3f}, has to be above {self.limit:g}"
        return f"{_WHAT[self.name]} is {found} ({self.samples} samples{few})"

    def to_dict(self) -> dict[str, Any]:
        """As in ``status.canary.indicators``."""
        found: dict[str, Any] = {"name": self.name, "verdict": self.verdict}
        if self.value is not None:
            found["value"] = round(self.value, 4)
        found |= {"limit": self.limit, "samples": self.samples, "needed": self.needed}
        slots = [
            {"at": timestamp(slot.at_s), "good": slot.sum[0], "total": slot.sum[1]}
            for slot in self.slots
            if slot.sum[1]
        ]
        return found | ({"slots": slots} if slots else {})


_WHAT: Final[Mapping[Name, str]] = {
    "Lateness": "p99 of tick lateness",
    "Jitter": "the share of jitter of at most 30 ms",
    "Recoveries": "the share of faults that were recovered from",
}


def judge(seen: Seen, gate: Gate, now_s: float) -> tuple[Indicator, ...]:
    """All three, in the order of ``NAMES``."""
    late = total(seen.late, Counts().late)
    jitter = total(seen.jitter, (0, 0))
    recoveries = total(seen.recoveries, (0, 0))
    return (
        _lateness(late, gate, whole=now_s - seen.since_s >= gate.lateness_window_s),
        _share("Jitter", jitter, gate.jitter_share, gate.min_samples, seen.jitter),
        _share("Recoveries", recoveries, gate.recoveries_share, gate.min_faults, seen.recoveries),
    )


def _lateness(late: Vector, gate: Gate, *, whole: bool) -> Indicator:
    """``whole``: all of the window was watched. Before that it may be Bad, and not Good.

    Of ticks that lack, as where a pod that cannot keep time has gone over to longer frames, all may
    have been on time: what is Bad even then is so for certain.
    """
    ticks, value = sum(late), quantile_us(late, P99)
    lacking = max(0, gate.min_ticks - ticks)
    least = quantile_us((late[0] + lacking, *late[1:]), P99)
    verdict: Verdict = "TooFew"
    if least is not None and least >= gate.max_us:
        verdict = "Bad"
    elif value is not None and not lacking and whole:
        verdict = "Good"
    return Indicator("Lateness", verdict, value, float(gate.max_us), ticks, gate.min_ticks)


def _share(name: Name, found: Vector, least: float, needed: int, slots: Series) -> Indicator:
    """``least`` 0: never bad, whatever was measured."""
    good, every = found
    value = good / every if every else None
    verdict: Verdict = "Good"
    if every < needed:
        verdict = "TooFew"
    elif value is not None and least > 0 and value <= least and good < every:
        verdict = "Bad"
    return Indicator(name, verdict, value, least, every, needed, slots)


def slots_of(entries: Iterable[Any]) -> Series:
    """Of an entry of ``status.canary.indicators``; what is spoilt is passed by."""
    found = [slot for entry in entries if (slot := _slot(entry)) is not None]
    return tuple(sorted(found, key=lambda slot: slot.at_s))[-MOST:]


def _slot(entry: object) -> Slot | None:
    if not isinstance(entry, Mapping):
        return None
    at_s, good, every = unix_s(entry.get("at")), entry.get("good"), entry.get("total")
    if at_s is None or not isinstance(good, int) or not isinstance(every, int):
        return None
    return Slot(at_s, (good, every)) if 0 <= good <= every else None
