"""``GET /admin/v1/status``: the operator's own look at this pod (contract §7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.config import Limits, PodPlace, RealtimeAsk
from voiceroom_mixer.control.admin import windows
from voiceroom_mixer.control.admin.desk import Desk
from voiceroom_mixer.control.admin.grant import Grant, Scheduling, judge
from voiceroom_mixer.control.export import defences
from voiceroom_mixer.control.export.clockfacts import report
from voiceroom_mixer.control.export.figures import counter, recent_ticks, worst_figures
from voiceroom_mixer.control.export.indicators import indicators
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.schedule import IDLE_FRAME_MS
from voiceroom_mixer.edge.cgroup import CpuBudget
from voiceroom_mixer.edge.realtime import has_capability
from voiceroom_mixer.edge.shm import Segment

_CAP_SYS_NICE: Final = 23


class Load(Protocol):
    """What the rooms carry."""

    def leg_counts(self) -> dict[str, int]:
        """Legs by room."""

    def participant_counts(self) -> dict[str, int]:
        """People by room."""

    def frame_ms(self, process: int) -> int | None:
        """The shortest frame of a media process's rooms."""


@dataclass(frozen=True, slots=True)
class PodStatus:
    """Builds the document."""

    place: PodPlace
    ask: RealtimeAsk
    desk: Desk
    load: Load
    readiness: Readiness
    segments: Sequence[Segment]
    budget: Callable[[], CpuBudget]
    cpus: Callable[[], int]
    """How many the pod may run on."""
    now_ns: Callable[[], int]
    held: Callable[[], Mapping[str, str]] = dict
    """By room: the field that changes when the people have gone."""
    seats: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
    """By room, what is otherwise than the assignment has it: ``role``, ``epoch``, ``legs``,
    ``prepared``."""
    relays: Callable[[], int] = lambda: 0
    """Legs of rooms that other pods mix by now."""
    judgement: Callable[[], Mapping[str, Any]] = dict
    """``verdict``, ``evidence`` and ``since`` of what watches the clocks, and under ``control`` the
    same of control's event loop; empty = nothing is wrong."""

    def document(self) -> dict[str, Any]:
        """Whole; a few hundred microseconds."""
        unready = self.readiness.unready()
        return {
            "bootId": self.place.boot_id,
            "pod": self.place.name,
            "node": self.place.node,
            "term": self.desk.term,
            "generation": self.desk.generation,
            "directory": self.desk.directory.number,
            "kept": self.desk.kept,
            "held": held_back(self.held()),
            "accepting": not unready and self._has_room(),
            "unready": unready,
            "rooms": self._rooms(),
            "relays": self.relays(),
            "timing": self._timing(),
            "realtime": self.realtime(),
            "headroom": self._headroom(),
            "level": defences.level(self.segments),
            "breaker": defences.breaker(self.segments),
            "indicators": indicators(self.segments),
        } | self._grade()

    def _limits(self) -> Limits:
        return self.desk.assignment.limits if self.desk.assignment else Limits()

    def _has_room(self) -> bool:
        if any(map(defences.refuses, self.segments)):
            return False
        limits, held = self._limits(), self.desk.assignment
        people = sum(self.load.participant_counts().values())
        return people < limits.participants and len(held.seats if held else ()) < limits.rooms

    def _rooms(self) -> list[dict[str, Any]]:
        legs, people = self.load.leg_counts(), self.load.participant_counts()
        held, real = self.desk.assignment, self.seats()
        return [
            {
                "name": seat.name,
                "uid": seat.room.get("uid", ""),
                "epoch": seat.room.get("epoch", 0),
                "role": seat.role,
                "legs": legs.get(seat.name, 0),
                "participants": people.get(seat.name, 0),
            }
            | dict(real.get(seat.name, {}))
            for seat in (held.seats if held else ())
        ]

    # Timing

    def _timing(self) -> dict[str, Any]:
        """``verdict`` None: nothing is known to be wrong."""
        now_ns = self.now_ns()
        each = [self._windows(index, now_ns) for index in range(len(self.segments))]
        figures = worst_figures(self.segments)
        return {
            "windows": windows.worst(each),
            "p99Ms": figures["latenessMs"]["p99"] if self._is_measured() else None,
            "totals": {name: figures[name] for name in ("total", "late", "skipped")},
            "verdict": None,
            "evidence": [],
            "since": None,
            "control": None,
            **self.judgement(),
        }

    def _windows(self, index: int, now_ns: int) -> list[windows.Window]:
        segment = self.segments[index]
        origin_ns = segment.word("grid_origin_ns")
        if not origin_ns:
            return []
        frame_ns = self._frame_ms(index) * NS_PER_MS
        return windows.windows(recent_ticks(segment), origin_ns, frame_ns, now_ns)

    def _is_measured(self) -> bool:
        return all(segment.word("media_ready") for segment in self.segments)

    def _frame_ms(self, index: int) -> int:
        frame_ns = counter(self.segments[index], "frame_ns")
        return frame_ns // NS_PER_MS or self.load.frame_ms(index) or IDLE_FRAME_MS

    def _headroom(self) -> float | None:
        """Share of the frame that is free at p99 of the tick's work, of the worst process."""
        if not self._is_measured():
            return None
        shares = []
        for index, segment in enumerate(self.segments):
            work_ns = windows.work_p99_ns(recent_ticks(segment))
            if work_ns is not None:
                shares.append(1.0 - work_ns / (self._frame_ms(index) * NS_PER_MS))
        return round(max(0.0, min(shares)), 3) if shares else None

    # Scheduling

    def grant(self, budget: CpuBudget | None = None) -> Grant:
        """Whether the mode that the pool asks for is in force."""
        said = [about["scheduling"] for about in self._abouts()]
        every = len(said) == len(self.segments)
        return judge(
            self.ask,
            [Scheduling.read(one) for one in said] if every else [],
            budget or self.budget(),
            self.cpus(),
            may_set_policy=has_capability(_CAP_SYS_NICE),
        )

    def refused(self) -> str:
        """Why the pod must not be Ready; empty when the mode is in force, or is not required."""
        if not self.ask.required:
            return ""
        grant = self.grant()
        if grant.granted is not False:
            return ""
        return f"{self.ask.mode}: {grant.reason}: {grant.message}; {grant.remedy}"

    def realtime(self) -> dict[str, Any]:
        """What was asked for, what was granted, and what the kernel says of the pod's CPU time."""
        budget = self.budget()
        grant = asdict(self.grant(budget))
        media = [about["scheduling"] for about in self._abouts()]
        return {
            "mode": self.ask.mode,
            "required": self.ask.required,
            **grant,
            "media": [_shown(one) for one in media],
            "cpuset": budget.cpuset,
            "quotaCpus": budget.quota_cpus,
            "quotaUs": budget.quota_us,
            "periodUs": budget.period_us,
            "periods": budget.periods,
            "throttledPeriods": budget.throttled_periods,
            "throttledMs": round(budget.throttled_ns / NS_PER_MS, 3),
            "rtRuntimeUs": budget.rt_runtime_us,
            "cgroup": budget.version,
        }

    def _abouts(self) -> list[dict[str, Any]]:
        found = (report(segment, layout.REPORT_ABOUT) for segment in self.segments)
        return [about for about in found if about]

    def _grade(self) -> dict[str, Any]:
        """Of the node, by the first media process: the clocks are the node's."""
        abouts = self._abouts()
        if not abouts:
            return {"grade": "", "gradeReasons": [], "clocksource": None}
        grade, node = abouts[0]["grade"], abouts[0]["node"]
        return {
            "grade": grade["grade"],
            "gradeReasons": grade["reasons"],
            "clocksource": node["clocksource"],
        }


def held_back(held: Mapping[str, str]) -> list[dict[str, str]]:
    """Changes that wait for a room to be empty, as JSON."""
    return [{"room": room, "field": field} for room, field in held.items()]


def _shown(scheduling: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "policy": scheduling["policy"],
        "priority": scheduling["priority"],
        "memoryLocked": scheduling["memory_locked"],
        "cpus": scheduling["cpus"],
        "timerSlackNs": scheduling["timer_slack_ns"],
        "refused": scheduling["refused"],
    }
