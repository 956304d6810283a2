"""``sched``: the article's weights beside earliest deadline first (S4.2)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import numpy as np

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.experiments import queueing
from voiceroom_driftlab.experiments.queueing import ORDERS, Job, Served
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_mixer.core.defend.urgency import Task, Weights, urgency

WEIGHTS: Final = Weights()
ROOMS: Final = 20
SHARES: Final = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.1)
_FRAMES: Final = (1_000, 60)
SAYS: Final = (
    "w = 0.7 (1 - elapsed / deadline) + 0.3 (rate / 48000), between 0 and 1, on a min-heap; an "
    "expired task gets 0.01, so that it is demoted and still served; the weight falls with time, "
    "so that what is urgent overtakes."
)
HOLDS: Final = (
    "The first term falls as the deadline comes nearer: taken by the greatest weight it serves the "
    "least urgent first. On the min-heap that is named, 0.01 is served before all others: the "
    "expired task is promoted. Push weighs once, when nothing has elapsed, so nothing decays, and "
    "what is left is an order by sampling rate. 96 kHz weighs up to 1.3. Ours grows with the share "
    "of the budget that is used up: among equal rates that is earliest deadline first, and what "
    "has expired waits in a lane of its own, which EDF does not do: under overload EDF serves the "
    "dead first and everybody is late. The rate's term, which EDF has not, costs a few deadlines "
    "below that. A mix is not preempted."
)
FIVE: Final = (
    ("fresh", 0.5, 48_000), ("half gone", 4.5, 48_000), ("8.5 ms of 9", 8.5, 48_000),
    ("expired", 9.5, 48_000), ("fresh, 96 kHz", 0.5, 96_000),
)  # fmt: skip
"""(name, ms since it was due, rate)"""


def run(quick: bool, seed: int, progress: Progress) -> Result:
    """Who is first among five, then the deadlines missed from half a thread's load to 110 %."""
    grid: dict[str, list[Served]] = {name: [] for name in ORDERS}
    for number, share in enumerate(SHARES):
        progress(f"load {share:.0%}", number / len(SHARES))
        jobs = queueing.load(np.random.default_rng([seed, number]), ROOMS, _FRAMES[quick], share)
        for name, choose in ORDERS.items():
            grid[name].append(queueing.served(queueing.serve(choose, jobs, WEIGHTS), WEIGHTS))
    return Result(
        "sched", "S4.2", SAYS, HOLDS,
        [_inversion(), _missed(grid)],
        [_chart(grid)],
        {
            "seed": seed, "shares": SHARES,
            "orders": {name: [asdict(one) for one in found] for name, found in grid.items()},
        },
    )  # fmt: skip


def turns() -> dict[str, list[int]]:
    """By order: the place in which each of ``FIVE`` is served, from 1 on."""
    now_ns = 100 * NS_PER_MS
    jobs = [
        Job(Task(room, now_ns - int(ms * NS_PER_MS), rate), 0)
        for room, (_, ms, rate) in enumerate(FIVE)
    ]
    places = {}
    for name, choose in ORDERS.items():
        left, served = list(jobs), []
        while left:
            served.append(left.pop(choose(left, WEIGHTS, now_ns)).task.room)
        places[name] = [served.index(room) + 1 for room in range(len(jobs))]
    return places


def _inversion() -> Table:
    now_ns, places = 100 * NS_PER_MS, turns()
    rows: list[list[Cell]] = []
    for room, (name, ms, rate) in enumerate(FIVE):
        task = Task(room, now_ns - int(ms * NS_PER_MS), rate)
        rows.append([
            name, f"{queueing.article_weight(task, WEIGHTS, now_ns):.2f}",
            f"{urgency(task, WEIGHTS, now_ns):.2f}", *(places[order][room] for order in ORDERS),
        ])  # fmt: skip
    header = ("task", "article's weight", "our urgency", *ORDERS)
    return Table("S4.2: in which turn five tasks are served", header, rows)


def _missed(grid: dict[str, list[Served]]) -> Table:
    rows: list[list[Cell]] = [
        [name, *(f"{100 * one.missed:.2f}" for one in found), f"{found[3].wait_max_ms:.1f}"]
        for name, found in grid.items()
    ]
    header = ("order", *(f"load {share:.0%}" for share in SHARES), "longest at 90 %, ms")
    title = f"{ROOMS} rooms of four rates: frames not mixed within 9 ms, %"
    return Table(title, header, rows)


def _chart(grid: dict[str, list[Served]]) -> Chart:
    return Chart(
        "Frames not mixed within 9 ms", "load of one thread, %", "%",
        {
            name: [(100 * x, 100 * one.missed) for x, one in zip(SHARES, found, strict=True)]
            for name, found in grid.items()
        },
    )  # fmt: skip
