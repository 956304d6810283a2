"""How late ticks begin, beside cyclictest at the same time, interval and policy."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bench import measure, mixerload
from bench.cases.plain import TALKING
from bench.context import Context
from bench.load.crowd import crowd
from bench.measure import Sample
from bench.mixerload import with_ticks
from bench.ours import mixer
from bench.peers.cyclictest import Cyclictest, Latency, Policy
from bench.report import Row, Target
from bench.ticks import quantile

LEGS: Final = 50
INTERVAL_US: Final = 20_000
TARGET: Final = Target(at_most=1.5)
_RESET_ON_FORK: Final = 0x4000_0000
_NAMES: Final = {os.SCHED_FIFO: "fifo", os.SCHED_RR: "rr", os.SCHED_OTHER: "other"}


@dataclass(frozen=True, slots=True)
class Both:
    """Measured over the same seconds."""

    sample: Sample
    peer: Latency
    policy: Policy


def policy_of(pid: int) -> Policy:
    """As the process was granted it."""
    name = _NAMES.get(os.sched_getscheduler(pid) & ~_RESET_ON_FORK, "other")
    if name == "other":
        return Policy(name, 0, os.getpriority(os.PRIO_PROCESS, pid))
    return Policy(name, os.sched_getparam(pid).sched_priority)


def _measure(ctx: Context) -> Both:
    s = replace(ctx.settings, window_s=ctx.settings.lateness_s)
    seats = crowd([mixerload.ROOM], LEGS, TALKING, "noise")
    with mixer([mixerload.ROOM]) as running:
        policy = policy_of(running.media_pid())
        with Cyclictest(INTERVAL_US, policy, round(s.window_s)) as beside:

            def work(edge: Callable[[], None]) -> Sample:
                def both_edges() -> None:
                    beside.start()
                    edge()

                return measure.plain(running, seats, s, edge=both_edges)

            return Both(with_ticks(running, work), beside.result(), policy)


def lateness(ctx: Context) -> list[Row]:
    """One row for the median and one for the 99th percentile."""
    both = _measure(ctx)
    sample, peer = both.sample, both.peer
    assert sample.ticks is not None
    ctx.say(f"lateness: {len(sample.ticks.late_ns)} ticks beside {peer.cycles} of cyclictest")
    cycles = {"cycles": peer.cycles, "p50_us": peer.p50_us, "p99_us": peer.p99_us}
    ctx.windows["lateness"] = {"voiceroom": sample.to_dict(), "cyclictest": cycles}
    late = sample.ticks.late_ns
    worst = f"maximum {late.max() / 1000:.0f} us, cyclictest {peer.max_us} us"
    return [
        _row(label, quantile(late, q) / 1000, theirs, both, f"{worst}; policy {both.policy}.")
        for label, q, theirs in (("p50", 0.5, peer.p50_us), ("p99", 0.99, peer.p99_us))
    ]


def _row(label: str, mine_us: float, theirs_us: int, both: Both, note: str) -> Row:
    ratio = mine_us / max(1, theirs_us)
    return Row(
        f"tick lateness {label}, {LEGS} legs; cyclictest at the same time",
        f"{mine_us:.0f} us",
        f"{theirs_us} us",
        ratio,
        str(TARGET),
        TARGET.judge(ratio, conclusive=not both.sample.inconclusive),
        note,
    )
