"""The detectors in the media process: what they are told after each tick, and where they say it.

Called when a tick's packets have left. With nothing wrong a look costs one round of the clocks and
two small files, about ten microseconds; the node's files follow once a second and after a tick
that was late. What a look finds it writes into the table ``reports``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.detector import Detector
from voiceroom_mixer.core.timing.detect.judge import STATUSES
from voiceroom_mixer.core.timing.detect.observations import ClockRound, SenderPoint, Tick
from voiceroom_mixer.core.timing.detect.verdicts import KINDS
from voiceroom_mixer.core.timing.histogram import Histogram
from voiceroom_mixer.core.timing.schedule import SLOT_NS
from voiceroom_mixer.edge import kept
from voiceroom_mixer.edge.accounts import AccountReader
from voiceroom_mixer.edge.clock import Clock
from voiceroom_mixer.edge.clockround import round_reader
from voiceroom_mixer.edge.nodestat import NodeReader
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.legs import Leg

NODE_NS: Final = NS_PER_S
REPORT_NS: Final = NS_PER_S
"""The report is written at each change of the verdict, and so often while there is one."""
SENDERS_NS: Final = NS_PER_S
SENDERS_A_TICK: Final = 4
_TICKS: Final = Board.INDEX["ticks"]


class Watch:
    """One media process's. ``look`` after every tick."""

    def __init__(
        self,
        segment: Segment,
        board: Board,
        pauses: Iterable[Histogram],
        legs: Iterable[Leg],
        run_delay: Histogram,
        *,
        accounts: AccountReader | None = None,
        node: NodeReader | None = None,
        clocks: Callable[[], ClockRound] | None = None,
        monotonic: Clock = kept.monotonic_ns,
        corrected: Callable[[], int] = kept.monotonic_ns.error_ns,
    ) -> None:
        """``pauses``: the histograms of garbage collection, whose sums are the time it took;
        ``corrected``: what is taken off the readings that ticks are told by."""
        self._segment, self._board, self._legs = segment, board, legs
        self._pauses = tuple(pauses)
        self._run_delay = run_delay
        self._waited_ns = 0
        self._accounts = accounts or AccountReader(self._gc_ns)
        cpus = sorted(os.sched_getaffinity(0))
        self._node = node or NodeReader(self._accounts.ancestors, cpus)
        self._clocks = clocks or round_reader()
        self._monotonic, self._corrected = monotonic, corrected
        self.detector = Detector()
        self._node_due_ns = self._report_due_ns = self._senders_due_ns = 0
        self._asked: Iterator[Leg] = iter(())
        self._looked_ns = 0
        self._version = 0

    def start(self) -> None:
        """In the main thread, before the first tick: go on with the counts of a predecessor."""
        self._accounts.count_continuations()
        raw = self._segment.tables["reports"].read(layout.REPORT_TIMING)
        said = json.loads(raw) if raw else {}
        judge = self.detector.judge
        judge.raised.update({k: int(said.get("raised", {}).get(k, 0)) for k in KINDS})
        judge.ended.update({s: int(said.get("recoveries", {}).get(s, 0)) for s in STATUSES})
        self.detector.clocksource_changes = int(said.get("clocksourceChanges", 0))
        # Whatever was wrong, the restart has ended it.
        judge.ended["restarted"] += bool(said.get("verdict")) + len(said.get("also", ()))
        self._report(self._monotonic())

    def look(self, began_wait_ns: int, step_ns: int) -> Tick:
        """After a tick: ``began_wait_ns`` is when the loop had come to wait for it. Gives the tick
        as it was seen."""
        now_ns = self._monotonic()
        tick = self._tick(began_wait_ns, step_ns, now_ns)
        self._count(tick)
        self._ask_senders(now_ns)
        detector = self.detector
        verdict = detector.tick(tick)
        changed = detector.judge.version != self._version
        if changed or (verdict is not None and now_ns >= self._report_due_ns):
            self._report(now_ns)
        return tick

    def _tick(self, began_wait_ns: int, step_ns: int, now_ns: int) -> Tick:
        segment = self._segment
        row = segment.ticks[self._board.values[_TICKS] % layout.TICK_RING].tolist()
        slot, late_ns, work_ns, skipped, _legs, _talkers, _sent, received = row
        waited_for_ns = segment.word("grid_origin_ns") + slot * SLOT_NS - skipped * step_ns
        node = None
        suspicious = late_ns >= matrix.NOTICE_NS or work_ns >= step_ns
        if suspicious or now_ns >= self._node_due_ns:
            self._node_due_ns = now_ns + NODE_NS
            node = self._node.read(now_ns)
        return Tick(
            waited_for_ns,
            began_wait_ns,
            waited_for_ns + late_ns,
            work_ns,
            step_ns,
            now_ns,
            self._accounts.read(),
            node,
            self._clocks(),
            received,
            self._others_silent_ns(now_ns),
            self._corrected(),
        )

    def _count(self, tick: Tick) -> None:
        """For those who watch from outside: the books of thread, cgroup and node."""
        board, delay_ns = self._board, tick.accounts.run_delay_ns
        if self._waited_ns:
            self._run_delay.observe_ns(max(0, delay_ns - self._waited_ns))
        self._waited_ns = delay_ns
        board.set("throttled_ns", tick.accounts.throttled_ns)
        board.set("clocksource_changes", self.detector.clocksource_changes)
        if tick.node is not None and tick.node.steal_ns:
            board.set("steal_ns", sum(tick.node.steal_ns) // len(tick.node.steal_ns))

    def _others_silent_ns(self, now_ns: int) -> int:
        """How long control's heartbeat was away: still, or until a beat since the last look.

        Control tells of its own silences. Beats that were not looked at because media itself was
        held up are none.
        """
        segment, looked_ns = self._segment, self._looked_ns
        self._looked_ns = now_ns
        ended_ns = segment.word("control_gap_end_ns")
        gap_ns = segment.word("control_gap_ns") if ended_ns > looked_ns else 0
        beat_ns = segment.word("control_beat_ns")
        return max(gap_ns, now_ns - beat_ns) if beat_ns else 0

    def _ask_senders(self, now_ns: int) -> None:
        """A few of the senders that are heard, each once a second."""
        left = SENDERS_A_TICK
        for leg in self._asked:
            transit = leg.receiver.transit if leg.heard and leg.receiver.active else None
            if transit is not None:
                self.detector.sender(SenderPoint(leg.slot, *transit))
            left -= 1
            if not left:
                return
        if now_ns >= self._senders_due_ns:
            self._senders_due_ns = now_ns + SENDERS_NS
            self._asked = iter(tuple(self._legs))

    def _gc_ns(self) -> int:
        return sum(pause.sum_ns for pause in self._pauses)

    def _report(self, now_ns: int) -> None:
        self._version = self.detector.judge.version
        self._report_due_ns = now_ns + REPORT_NS
        text = json.dumps(self.detector.report(), separators=(",", ":"))
        self._segment.tables["reports"].write(layout.REPORT_TIMING, text.encode())
