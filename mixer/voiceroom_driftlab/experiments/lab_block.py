"""``block``: a blocking read in a callback, and how far it spreads (S3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from voiceroom_driftlab.experiments.blocking import PLACES, Spreading, spread_of
from voiceroom_driftlab.experiments.echo import CONNECTIONS
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table

READ_S: Final = (5.0, 0.5)
SAYS: Final = (
    "A blocking Read in an AfterFunc callback blocks the network poller, and with it every "
    "connection of the process."
)
HOLDS: Final = (
    "Not in Go: AfterFunc runs its function in a goroutine of its own, and a Read of a "
    "connection parks that goroutine without the poller. True of asyncio to the letter: a "
    "callback runs in the loop's thread, and while it reads nothing else runs: timers are late "
    "by the whole read, datagrams wait in the kernel until the receive queues are full, every "
    "connection is answered when the read is over. The same read in an executor is not noticed, "
    "and a thread beside the loop is not either, which is why nothing of the mixer's sound "
    "passes an event loop."
)
_BOARD: Final = (
    "timer late, ms", "callbacks ready", "receive queues, bytes", "dropped", "answer p50, ms",
    "answer max, ms", f"frozen, of {CONNECTIONS}", "thread beside it late, ms",
)  # fmt: skip


def run(quick: bool, progress: Progress) -> Result:
    """Without a read, with one in a callback, and in an executor."""
    rows: list[Spreading] = []
    for place in PLACES:
        progress(f"a read of {READ_S[quick]:g} s {place}", len(rows) / len(PLACES))
        rows.append(spread_of(place, READ_S[quick]))
    return result(rows)


def result(rows: Sequence[Spreading]) -> Result:
    """From what was measured."""
    cells: list[list[Cell]] = [
        [
            row.place, f"{row.timer_late_ms:.1f}", row.ready, row.queued_bytes, row.dropped,
            f"{row.rtt_p50_ms:.2f}", f"{row.rtt_max_ms:.1f}", row.frozen,
            f"{row.thread_late_ms:.1f}",
        ]
        for row in rows
    ]  # fmt: skip
    return Result(
        "block", "S3.1", SAYS, HOLDS,
        [Table(f"S3.1: a read of {rows[0].read_s:g} s from a peer that is silent",
               ("the read", *_BOARD), cells)],
        _charts(rows),
        {"rows": [asdict(row) for row in rows]},
    )  # fmt: skip


def _charts(rows: Sequence[Spreading]) -> list[Chart]:
    """A row of the board each, all places in it."""
    return [
        Chart(name, "s after the read began", name, {r.place: r.timeline[name] for r in rows})
        for name in rows[0].timeline
    ]
