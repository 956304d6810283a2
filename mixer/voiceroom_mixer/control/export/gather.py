"""Control's own gauges, and the counts that others keep, gathered at a scrape."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.auth.limits import RequestLimits
from voiceroom_mixer.control.auth.pin import PinDoor
from voiceroom_mixer.control.events.bus import EventBus
from voiceroom_mixer.control.export.clockfacts import clock_infos, refresh_clock_metrics
from voiceroom_mixer.control.export.drift import refresh_drift_metrics
from voiceroom_mixer.control.export.indicators import refresh_recovery_metrics
from voiceroom_mixer.control.export.numbers import Infos, Numbers, rooms_capped
from voiceroom_mixer.control.export.timers import refresh_timers, timer_infos
from voiceroom_mixer.control.logs import RateFilter
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.control.service import RoomHouse
from voiceroom_mixer.control.watchdog import Watchdog
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.probepage import ProbePage
from voiceroom_mixer.edge.shm import Segment

_HANDSHAKES: Final = {
    "dtls_connected": "ok",
    "dtls_failed": "failed",
    "dtls_timeout": "timeout",
    "dtls_busy": "busy",
}
"""Results of DTLS handshakes by the service's counter."""
_RECONNECTS: Final = {"rejoins": "rejoin", "ice_restarts": "ice_restart"}


@dataclass(frozen=True, slots=True)
class Gather:
    """``refresh`` and ``infos`` of the collector."""

    segments: Sequence[Segment]
    numbers: Numbers
    service: RoomHouse
    bus: EventBus
    limits: RequestLimits
    pins: PinDoor
    readiness: Readiness
    watchdog: Watchdog
    log_filter: RateFilter
    log_dropped: Callable[[], int]
    """Lines that nobody took."""
    expected_tasks: Callable[[], int]
    relayed: Callable[[], int] = lambda: 0
    """Legs of rooms that were given away."""
    unprotected: Callable[[], int] = lambda: 0
    """Legs that do not know of their room's twin."""
    probe: ProbePage | None = None
    """Of the clock probe beside this mixer."""

    def refresh(self) -> None:
        """Bring ``numbers`` up to date."""
        self._load()
        self._doors()
        self._processes()
        counted = self.service.counters()
        self._events(counted)
        self._reconnects(counted)
        refresh_clock_metrics(self.segments, self.numbers)
        refresh_drift_metrics(self.segments, self.numbers)
        refresh_recovery_metrics(self.segments, self.numbers)
        if self.probe is not None:
            refresh_timers(self.probe, self.numbers, clock.monotonic_ns())

    def _load(self) -> None:
        numbers = self.numbers
        numbers.clear("voiceroom_participants")
        for room, count in rooms_capped(self.service.participant_counts()).items():
            numbers.set("voiceroom_participants", count, room=room)
        numbers.set("voiceroom_ready", not self.readiness.unready())
        numbers.set("voiceroom_draining", self.readiness.draining)
        numbers.set("voiceroom_relayed_legs", self.relayed())
        numbers.set("voiceroom_unprotected_legs", self.unprotected())

    def _doors(self) -> None:
        numbers = self.numbers
        for limit, count in {**self.limits.limited, "pin": self.pins.limited}.items():
            numbers.set("voiceroom_http_limited_total", count, limit=limit)
        numbers.set("voiceroom_http_limiter_evictions_total", self.limits.evictions)

    def _processes(self) -> None:
        numbers = self.numbers
        numbers.set("voiceroom_tasks", len(asyncio.all_tasks()))
        numbers.set("voiceroom_tasks_expected", self.expected_tasks())
        numbers.set("voiceroom_loop_blocked_total", self.watchdog.stalls)
        waited_s = self.log_filter.lock_wait_ns / NS_PER_S
        numbers.set("voiceroom_lock_wait_seconds_total", waited_s)
        numbers.set("voiceroom_log_suppressed_total", self.log_filter.suppressed)
        numbers.set("voiceroom_log_dropped_total", self.log_dropped())
        media = sum(max(0, segment.word("media_boots") - 1) for segment in self.segments)
        numbers.set("voiceroom_process_restarts_total", media, process="media")
        control = max(0, self.segments[0].word("control_boots") - 1)
        numbers.set("voiceroom_process_restarts_total", control, process="control")

    def _events(self, counted: Mapping[str, int]) -> None:
        numbers = self.numbers
        numbers.set("voiceroom_events_published_total", self.bus.published)
        numbers.set("voiceroom_event_subscribers", self.bus.subscribers())
        numbers.set("voiceroom_events_dropped_total", self.bus.dropped)
        dropped = counted.get("messages_dropped", 0)
        numbers.set("voiceroom_commands_dropped_total", dropped)
        for counter, result in _HANDSHAKES.items():
            count = counted.get(counter, 0)
            numbers.set("voiceroom_dtls_handshakes_total", count, result=result)
        for seconds in self.service.take_handshake_seconds():
            numbers.observe("voiceroom_dtls_handshake_seconds", seconds)

    def _reconnects(self, counted: Mapping[str, int]) -> None:
        numbers = self.numbers
        for counter, how in _RECONNECTS.items():
            numbers.set("voiceroom_reconnects_total", counted.get(counter, 0), how=how)
        storms = counted.get("reconnect_storms", 0)
        numbers.set("voiceroom_reconnect_storms_total", storms)

    def infos(self) -> Infos:
        """Label sets of the info metrics."""
        build = {
            "version": importlib.metadata.version("voiceroom"),
            "python": platform.python_version(),
            "libopus": _libopus(),
        }
        probe = timer_infos(self.probe, clock.monotonic_ns()) if self.probe is not None else {}
        return {"voiceroom_build_info": [build], **clock_infos(self.segments), **probe}


def _libopus() -> str:
    """The version of the library that media decodes with; it is not loaded before it is asked."""
    from voiceroom_mixer.codec import library

    return library.load().version
