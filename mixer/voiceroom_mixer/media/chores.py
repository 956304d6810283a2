"""What is done in the time that a tick leaves: columns, reports, time-outs, another look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S, SILENT_LEVEL, samples_to_ns
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.core.timing.histogram import Histogram
from voiceroom_mixer.edge import kept
from voiceroom_mixer.media import columns
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.consent import Consent
from voiceroom_mixer.media.delays import Delays
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.legs import Leg, LegTable
from voiceroom_mixer.media.reports import Reports
from voiceroom_mixer.media.tolerances import Tolerances

LOOK_NS: Final = NS_PER_S
"""How often the rows are looked at without a word from control."""
SILENT_PEER_NS: Final = 15 * NS_PER_S
"""A WebRTC leg without authenticated STUN or SRTP for so long is gone (contract §5)."""
UNREACHABLE_NS: Final = 60 * NS_PER_S
UNREACHABLE_GAP_NS: Final = 5 * NS_PER_S
"""An RTP leg is unreachable as long as refusals come at least this often."""
ROUND_NS: Final = NS_PER_S
"""Every leg's columns are written within this time."""
LEVELS_NS: Final = 100 * NS_PER_MS
"""Levels of those who are heard go out ten times a second."""
DEFERRED_SPARE_NS: Final = 10 * NS_PER_MS
DEFERRED_NS: Final = NS_PER_S
"""What can wait is deferred to a tick with so much to spare, and no longer than so."""
_SUMS: Final = (
    "refill_timeouts",
    "jb_overflows",
    "jb_resets",
    "source_changes",
    "jb_shortened_ns",
    "jb_repeated_ns",
    "jb_cuts",
)
SHARES: Final = 40
"""A round is spread over so many ticks, fewer than there are in it."""
MIN_SPARE_NS: Final = NS_PER_MS
"""Chores stop when the next deadline is nearer than this; they are all done later instead."""


class Chores:
    """Called after each tick with the time and the next deadline."""

    def __init__(
        self,
        house: House,
        legs: LegTable,
        board: Board,
        reports: Reports,
        all_columns: dict[str, Any],
        *,
        jitter: Histogram,
        consent: Consent,
        tolerances: Tolerances,
        delays: Delays,
        say: Callable[[Message], None],
        refused: Callable[[], list[bytes]],
        idle: Callable[[int], None],
    ) -> None:
        self._house, self._legs, self._board = house, legs, board
        self._reports = reports
        self._columns = all_columns
        self._say, self._refused, self._idle = say, refused, idle
        self._round: list[int] = []
        """Slots and not legs: a leg that has gone must not live on in here."""
        self._round_due_ns = 0
        self._levels_due_ns = 0
        self._sounding: set[int] = set()
        self._jitter, self._consent = jitter, consent
        self._tolerances, self._delays = tolerances, delays
        self._look_due_ns = 0
        self.defers = False
        """What can wait does: columns, levels, reports, garbage."""
        self._deferred_until_ns = 0

    def __call__(self, now_ns: int, deadline_ns: int) -> None:
        if now_ns >= self._look_due_ns:
            self._look_due_ns = now_ns + LOOK_NS
            self._house.look(now_ns)
            self._time_out(now_ns)
        if self.defers and not self._may_go_on(now_ns, deadline_ns):
            return
        if not self._round and now_ns >= self._round_due_ns:
            self._round_due_ns = now_ns + ROUND_NS
            self._round = list(self._legs.by_slot)
            self._unreachable(now_ns)
        if now_ns >= self._levels_due_ns:
            self._levels_due_ns = now_ns + LEVELS_NS
            self._levels()
        share = len(self._round) if self.defers else len(self._round) // SHARES + 4
        stop_ns = deadline_ns - MIN_SPARE_NS
        while self._round and share > 0 and kept.monotonic_ns() < stop_ns:
            self._publish(self._round.pop(), now_ns)
            share -= 1
        self._reports.send(now_ns, stop_ns)
        self._idle(stop_ns)

    def _may_go_on(self, now_ns: int, deadline_ns: int) -> bool:
        if deadline_ns - now_ns < DEFERRED_SPARE_NS and now_ns < self._deferred_until_ns:
            return False
        self._deferred_until_ns = now_ns + DEFERRED_NS
        return True

    def _publish(self, slot: int, now_ns: int) -> None:
        leg = self._legs.by_slot.get(slot)
        if leg is None:
            return
        receiver = leg.receiver
        receiver.rest()
        columns.publish(self._columns, leg)
        self._tolerances.look(leg, now_ns)
        self._delays.look(leg)
        self._consent.look(leg, now_ns)
        self._sum_up(leg)
        if leg.heard:
            self._jitter.observe_ns(receiver.reception.jitter_ns)
        for event in receiver.events():
            payload = b"".join(
                int(v).to_bytes(4, "big")
                for v in (event.size_ms, event.target_ms, event.last_seq, receiver.ssrc)
            )
            self._say(Message(Kind.REFILL, leg.slot, leg.state.generation, payload))

    def _levels(self) -> None:
        """Levels of those who sound, and silence for those who did."""
        column = self._columns["level"]
        sounding = {leg.slot: leg.receiver.level for leg in self._legs if leg.receiver.active}
        for slot, level in sounding.items():
            column[slot] = level
        for slot in self._sounding - sounding.keys():
            column[slot] = SILENT_LEVEL
        self._sounding = set(sounding)

    def _sum_up(self, leg: Leg) -> None:
        """Add what is new in the leg's counters to the process's sums."""
        stats, did = leg.receiver.stats, leg.receiver.counts
        now = (
            stats.refill_timeouts,
            stats.overflows,
            stats.resets,
            stats.source_changes,
            samples_to_ns(did.shortened_samples),
            samples_to_ns(did.repeated_samples),
            did.cuts,
        )
        if now != leg.counted:
            before = leg.counted or (0,) * len(now)
            leg.counted = now
            for name, new, old in zip(_SUMS, now, before, strict=True):
                self._board.add(name, max(0, new - old))

    def _time_out(self, now_ns: int) -> None:
        """End the legs that are gone by the rules of contract §5."""
        for leg in list(self._legs):
            if not leg.live and self._house.is_kept(leg):
                continue  # its room's owner watches over it
            if leg.secure or not leg.live:
                latest = max(leg.last_check_ns, leg.last_rx_ns)
                if now_ns - latest > SILENT_PEER_NS:
                    self._house.end(leg, layout.END_TIMEOUT)
            elif leg.unreachable_since_ns:
                if now_ns - leg.unreachable_last_ns > UNREACHABLE_GAP_NS:
                    leg.unreachable_since_ns = 0
                elif now_ns - leg.unreachable_since_ns > UNREACHABLE_NS:
                    self._house.end(leg, layout.END_UNREACHABLE)

    def _unreachable(self, now_ns: int) -> None:
        """Note the "port unreachable" answers to what we sent."""
        for name in self._refused():
            self._board.add("port_unreachable")
            leg = self._legs.find(name)
            if leg is not None and leg.state.kind == "rtp":
                leg.unreachable_since_ns = leg.unreachable_since_ns or now_ns
                leg.unreachable_last_ns = now_ns
