"""The operator's own look at every pod, once a second: the newest word of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from voiceroom_api.thresholds import PROFILES
from voiceroom_operator.admin.access import Access, Address
from voiceroom_operator.admin.client import Admin, Unreachable
from voiceroom_operator.canary.counts import Counts
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.reading.counts import counts_of
from voiceroom_operator.reading.reports import (
    NO_ROOMS,
    RoomsSaid,
    StatusReport,
    rooms_said,
    status_report,
    steadied,
    windows_of,
)
from voiceroom_operator.remediation.windows import LEAST_KEPT, History, noted

PERIOD_S: Final = 1.0
NOTHING_COUNTED: Final = Counts()
AT_ONCE: Final = 32
_STRICTEST: Final = min(PROFILES.values(), key=lambda each: each.bad_ms)
_LATELY: Final = 5
"""Seconds."""
SLOW_S: Final = 10.0
"""What changes with every word is passed on this often at most."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """A pod to look at."""

    namespace: str
    name: str
    uid: str
    address: Address
    access: Access


@dataclass(slots=True)
class _Known:
    report: StatusReport
    """The same object while nothing in it matters anew."""
    rooms: RoomsSaid = NO_ROOMS
    urgent: object = None
    """Of ``report``."""
    history: History = ()
    counts: Counts = NOTHING_COUNTED
    keep_s: int = LEAST_KEPT
    answered: bool = False
    asked_since_s: float | None = None
    """Since when it has been asked without an answer (monotonic)."""
    told: tuple[object, object] | None = None
    """What was passed on last: what is urgent, and what is slow."""
    told_s: float = float("-inf")


OnNews = Callable[[Target, StatusReport], None]


class Looks:
    """What pods say. ``on_news`` is told when a report differs in what plans or people look at."""

    def __init__(
        self,
        admin: Admin,
        clock: Clock,
        on_news: OnNews,
        on_answer: Callable[[str], None],
        lost_after_s: float,
    ) -> None:
        """``on_answer``: told the uid of a pod whenever it has answered."""
        self._admin = admin
        self._clock = clock
        self._on_news = on_news
        self._on_answer = on_answer
        self._lost_after_s = lost_after_s
        self._known: dict[str, _Known] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def report(self, uid: str) -> StatusReport:
        """The newest word of the pod; ``silent_s`` in it is as of now."""
        known = self._known.get(uid)
        if known is None:
            return StatusReport()
        silent_s = self._silent_s(known)
        if silent_s == known.report.pod.silent_s:
            return known.report
        return replace(known.report, pod=replace(known.report.pod, silent_s=silent_s))

    def has_answered(self, uid: str) -> bool:
        """Whether the pod was ever heard."""
        known = self._known.get(uid)
        return known is not None and known.answered

    def _silent_s(self, known: _Known) -> float:
        since_s = known.asked_since_s
        return 0.0 if since_s is None else self._clock.monotonic_s() - since_s

    def history(self, uid: str) -> History:
        """The pod's seconds, as far as they are remembered."""
        known = self._known.get(uid)
        return known.history if known is not None else ()

    def counts(self, uid: str) -> Counts:
        """What the pod has counted since it began."""
        known = self._known.get(uid)
        return known.counts if known is not None else NOTHING_COUNTED

    def remember(self, uid: str, seconds: int) -> None:
        """So many of the pod's seconds are worth remembering."""
        known = self._known.get(uid)
        if known is not None:
            known.keep_s = seconds

    def round(self, targets: Iterable[Target]) -> None:
        """Ask each that is not being asked; forget pods that are not among them."""
        present = {target.uid: target for target in targets}
        for uid in self._known.keys() - present.keys():
            del self._known[uid]
        for uid, target in present.items():
            known = self._known.setdefault(uid, _Known(StatusReport()))
            self._pass_on(target, known)  # silence is news as well
            if uid not in self._tasks:
                self._start(target)

    def _start(self, target: Target) -> None:
        task = asyncio.get_running_loop().create_task(self._ask(target))
        self._tasks[target.uid] = task
        task.add_done_callback(lambda _: self._tasks.pop(target.uid, None))

    async def _ask(self, target: Target) -> None:
        async with self._gate:
            await self.look(target)

    async def look(self, target: Target) -> None:
        """Ask one pod now."""
        known = self._known.setdefault(target.uid, _Known(StatusReport()))
        if known.asked_since_s is None:
            known.asked_since_s = self._clock.monotonic_s()
        try:
            reply = await self._admin.status(target.address, target.access)
        except Unreachable as error:
            _log.debug("a pod does not answer", extra={"pod": target.name, "error": str(error)})
            return
        if reply.status != 200:
            _log.warning("a pod refuses", extra={"pod": target.name, "status": reply.status})
            return
        self._take(known, reply.body)
        known.answered, known.asked_since_s = True, None
        self._pass_on(target, known)
        self._on_answer(target.uid)

    def _take(self, known: _Known, body: Mapping[str, Any]) -> None:
        known.rooms = rooms_said(body.get("rooms"), known.rooms)
        known.counts = counts_of(body)
        said = steadied(status_report(body, rooms=known.rooms), known.report)
        if said is not known.report:
            known.report, known.urgent = said, _urgent(said)
        known.history = noted(
            known.history, windows_of(body), said.timing.verdict, said.asks, known.keep_s
        )

    def _pass_on(self, target: Target, known: _Known) -> None:
        digest = self._urgent(known)
        now_s = self._clock.monotonic_s()
        is_urgent = known.told is None or known.told[0] != digest
        is_slow_due = known.told != (digest, _slow(known.report)) and now_s >= known.told_s + SLOW_S
        if is_urgent or is_slow_due:
            known.told, known.told_s = (digest, _slow(known.report)), now_s
            self._on_news(target, known.report)

    def _urgent(self, known: _Known) -> object:
        return (
            known.urgent,
            _is_troubled(known.history),
            self._silent_s(known) >= PERIOD_S,
            self._silent_s(known) > self._lost_after_s,
        )

    async def close(self) -> None:
        """End all that is asked."""
        for task in tuple(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def _is_troubled(history: History) -> bool:
    """By the strictest of all profiles: whether it matters to the pool is for the plan to say,
    which looks again each second while it does."""
    return any(window.is_bad(_STRICTEST) for window in history[-_LATELY:])


def _urgent(report: StatusReport) -> object:
    return (
        report.boot_id,
        report.pod.accepting,
        bool(report.pod.relays),
        tuple((held.room, held.epoch, held.role, bool(held.legs)) for held in report.pod.holds),
        report.realtime,
        report.grade,
        report.timing.verdict,
        report.timing.p99_ms is None,
        report.asks,
    )


def _slow(report: StatusReport) -> object:
    return (report.participants, report.pod.headroom, report.timing.p99_ms)
