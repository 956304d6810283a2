"""The tick loop: sleep to an absolute deadline, take in, mix, send, then the chores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.receive.model import TickTime
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.histogram import TwoSided, histograms
from voiceroom_mixer.core.timing.owed import Allowance
from voiceroom_mixer.core.timing.rolling import RollingMax
from voiceroom_mixer.core.timing.schedule import IDLE_FRAME_MS, Schedule, TickPlan
from voiceroom_mixer.edge import clock, kept
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.edge.wake import Doze
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.egress import Egress
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.ingress import Ingress
from voiceroom_mixer.media.mixing import Mixing
from voiceroom_mixer.media.moving.moves import Moves
from voiceroom_mixer.media.source import RtpSource

FEW_LEGS: Final = 100
MIX_SHARE: Final = 0.6
"""Of the smallest frame: behind it no further talker is taken into a mix (anytime mixing)."""
READY_TICKS: Final = 20


class Loop:
    """One media process's time. ``run`` returns when ``stop`` was called."""

    def __init__(
        self,
        segment: Segment,
        schedule: Schedule,
        board: Board,
        ingress: Ingress,
        egress: Egress,
        house: House,
        source: RtpSource,
        mixing: Mixing,
        *,
        tick_time: TickTime,
        chores: Callable[[int, int], None],
        doze: Doze,
        observe_sleep: Callable[[int], None],
        commands: Callable[[int], None],
        moves: Moves,
    ) -> None:
        self._segment, self._schedule, self._board = segment, schedule, board
        self._ingress, self._egress, self._house = ingress, egress, house
        self._source, self._mixing, self._tick_time = source, mixing, tick_time
        self._observe_sleep, self._doze = observe_sleep, doze
        self._chores, self._commands = chores, commands
        self._moves = moves
        counts = histograms(segment.counters)
        self._lateness = TwoSided(counts["tick_late"], counts["tick_early"])
        self._work = counts["tick_work"]
        self._max_late, self._max_work = RollingMax(), RollingMax()
        self._last_raw_ns = kept.raw_ns()
        self._allowance = Allowance()
        self._received = 0
        self._good_ticks = 0
        self._corrections = board.values[Board.INDEX["clock_corrections"]]
        """Of those before this process."""
        self._frames: tuple[int, ...] = ()
        """Sizes that hold from the next tick on."""
        self._stopped = False
        self.began_wait_ns = 0
        """When the loop came to wait for the newest tick."""
        self.legs = 0

    def stop(self) -> None:
        """End after the current tick."""
        self._stopped = True

    @property
    def step_ns(self) -> int:
        """Time between two ticks."""
        return self._schedule.step_ns

    def frames(self, sizes_ms: Iterable[int]) -> None:
        """The frame sizes of the rooms that there are now, from the next tick on."""
        self._frames = tuple(sizes_ms) or (IDLE_FRAME_MS,)

    def run(self) -> None:
        """Tick until stopped."""
        while not self._stopped:
            self._tick(self._wait())

    def _wait(self) -> TickPlan:
        """Sleep to the next deadline; empty the socket on the way, as its queue is bounded and
        who joins waits for answers. With nothing in it the interpreter is not woken."""
        if self._frames:
            self._schedule.use_frames(self._frames)
            self._frames = ()
        self._schedule.rest(resting=self._is_resting())
        self.began_wait_ns = kept.monotonic_ns()
        while True:
            deadline = self._schedule.next_deadline_ns
            step = (5 if self.legs > FEW_LEGS else 10) * NS_PER_MS
            now = kept.monotonic_ns()
            while deadline - now > step:
                first = deadline - (deadline - now - 1) // step * step
                if self._doze(first, step, deadline - step):
                    self._drain()
                now = kept.monotonic_ns()
            clock.sleep_until(deadline)
            woke = kept.monotonic_ns()
            if now < deadline:
                self._observe_sleep(deadline)
            plan = self._schedule.due(woke)
            if plan is not None:
                return plan
            self._lateness.observe_ns(woke - deadline)

    def _is_resting(self) -> bool:
        """The grid is proved, nobody listens, and no room is between two pods."""
        if self.legs or self._good_ticks < READY_TICKS:
            return False
        return not any(room.restless for room in self._house.rooms.values())

    def _drain(self) -> None:
        """Take in what has come; STUN answers leave at once."""
        raw, wall, mono = kept.raw_ns(), clock.wall_ns(), kept.monotonic_ns()
        self._received += self._ingress.drain(mono, raw - wall, self._last_raw_ns, raw)
        self._last_raw_ns = raw
        if self._egress.sender.used:
            self._egress.flush()
        self._segment.set_word("media_beat_ns", mono)

    def _tick(self, plan: TickPlan) -> None:
        begin = plan.deadline_ns + plan.late_ns % (self._schedule.step_ns)
        self._drain()
        until = begin + int(self._schedule.step_ns * MIX_SHARE)
        talkers = sent = 0
        parts = self._parts(plan)
        for part in parts:
            now = kept.monotonic_ns()
            self._tick_time.now_ns = kept.raw_ns() - (now - part.deadline_ns)
            talkers = self._mixing.run(part, until)
            sent += self._egress.flush()
        end = kept.monotonic_ns()
        self._source.publish(self._segment.columns)
        self._segment.set_word("grid_slot", plan.slot)
        self._allowance.learn(end - begin, len(parts), self._schedule.step_ns)
        self._record(plan, end - begin, talkers, sent, end)
        self._commands(end)
        self._moves.tick(end)
        self._chores(end, self._schedule.next_deadline_ns)
        self._board.publish()

    def _parts(self, plan: TickPlan) -> tuple[TickPlan, ...]:
        """The tick, behind as many frames that are owed as its time allows."""
        if not plan.skipped:
            return (plan,)
        spare_ns = self._schedule.next_deadline_ns - kept.monotonic_ns()
        parts = plan.parts(self._schedule.step_ns, self._allowance.most(spare_ns))
        self._board.add("ticks_owed", len(parts) - 1)
        return parts

    def _record(self, plan: TickPlan, work_ns: int, talkers: int, sent: int, now_ns: int) -> None:
        """Histograms, maxima, the tick ring, readiness."""
        board = self._board
        self._lateness.observe_ns(plan.late_ns)
        self._work.observe_ns(work_ns)
        self._max_late.observe(now_ns, plan.late_ns)
        self._max_work.observe(now_ns, work_ns)
        on_time = plan.late_ns < self._schedule.frame_ns
        board.add("ticks")
        board.add("ticks_skipped", plan.skipped)
        board.add("ticks_late", not on_time)
        board.set("max_lateness_ns", self._max_late.maximum(now_ns))
        board.set("max_work_ns", self._max_work.maximum(now_ns))
        board.set("clock_backsteps", self._schedule.backsteps)
        board.set("clock_error_ns", abs(kept.monotonic_ns.ahead_ns))
        board.set("clock_corrections", self._corrections + kept.monotonic_ns.steps)
        board.set("tick_interval_ns", self._schedule.step_ns)
        board.set("frame_ns", self._schedule.frame_ns)
        board.set("talkers", talkers)
        board.set("legs", self.legs)
        board.set("rooms", len(self._house.rooms))
        ticks = board.values[Board.INDEX["ticks"]]
        self._segment.ticks[ticks % layout.TICK_RING] = (
            plan.slot,
            plan.late_ns,
            work_ns,
            plan.skipped,
            self.legs,
            talkers,
            sent,
            self._received,
        )
        self._received = 0
        self._prove(on_time)

    def _prove(self, on_time: bool) -> None:
        """Ready when the first ticks came on time (contract §2)."""
        if self._good_ticks < READY_TICKS:
            self._good_ticks += on_time
            if self._good_ticks == READY_TICKS:
                self._segment.set_word("media_ready", 1)
