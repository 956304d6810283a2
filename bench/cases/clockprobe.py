"""How late the clock probe finds timers, beside cyclictest: same interval, policy and seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from bench.context import Context
from bench.errors import BenchError
from bench.peers.cyclictest import Cyclictest, Policy, quantile_us
from bench.procfs import machine_time
from bench.report import Row, Target
from bench.settings import STOLEN_TOO_MUCH
from voiceroom_mixer.core.state.probepage import EDGES_US

INTERVAL_US: Final = 20_000
PRIORITY: Final = 80
TARGET: Final = Target(at_most=1.5)
_GRACE_S: Final = 15

Histogram = Mapping[int, int]
"""Whole microseconds, and how often each was seen."""


def policy_of(said: str) -> Policy:
    """What the probe was granted, as cyclictest takes it."""
    granted = json.loads(said)
    if granted["policy"] == "fifo":
        return Policy("fifo", granted["priority"])
    return Policy("other", 0, granted["priority"])


def spread(histogram: Histogram) -> list[int]:
    """Counts by the probe's own buckets, overflow last."""
    edges = (*EDGES_US, sys.maxsize)
    low = (-1, *EDGES_US)
    return [
        sum(count for us, count in histogram.items() if above < us <= edge)
        for above, edge in zip(low, edges, strict=True)
    ]


def table(ours: Histogram, theirs: Histogram) -> list[str]:
    """Both distributions side by side, in percent of the visits."""
    names = [*(f"<= {edge} us" for edge in EDGES_US), "more"]
    rows = zip(names, _percent(spread(ours)), _percent(spread(theirs)), strict=True)
    head = f"{'':>12}  {'clock-probe':>11}  {'cyclictest':>10}"
    return [head, *(f"{name:>12}  {mine:>10.2f}%  {peer:>9.2f}%" for name, mine, peer in rows)]


def _percent(counts: list[int]) -> list[float]:
    return [count * 100 / max(1, sum(counts)) for count in counts]


def _measure(seconds: int) -> tuple[Histogram, Histogram, Policy]:
    words = [sys.executable, "-m", "bench.load.probe", *map(str, (INTERVAL_US, PRIORITY, seconds))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as probe:  # type: ignore[call-overload]
        try:
            policy = policy_of(probe.stdout.readline())
            with Cyclictest(INTERVAL_US, policy, seconds) as beside:
                beside.start()
                said, _ = probe.communicate("go\n", timeout=seconds + _GRACE_S)
                peer = beside.result()
        finally:
            probe.kill()
    if not said:
        raise BenchError("the clock probe has measured nothing")
    ours = {int(us): count for us, count in json.loads(said).items()}
    return ours, dict(peer.histogram), policy


def clockprobe(ctx: Context) -> list[Row]:
    """Both distributions, then one row for the median and one for the 99th percentile."""
    begun = machine_time()
    ours, theirs, policy = _measure(round(ctx.settings.lateness_s))
    stolen = machine_time().since(begun).stolen_share
    for line in table(ours, theirs):
        ctx.say(line)
    ctx.windows["clockprobe"] = {"clock-probe": dict(ours), "cyclictest": dict(theirs)}
    note = f"maximum {max(ours)} us, cyclictest {max(theirs)} us; policy {policy}."
    return [
        _row(label, quantile_us(dict(ours), q), quantile_us(dict(theirs), q), stolen, note)
        for label, q in (("p50", 0.5), ("p99", 0.99))
    ]


def _row(label: str, ours_us: int, theirs_us: int, stolen: float, note: str) -> Row:
    ratio = ours_us / max(1, theirs_us)
    verdict = TARGET.judge(ratio, conclusive=stolen <= STOLEN_TOO_MUCH)
    figure = f"timer drift {label} by the clock probe; cyclictest at the same time"
    return Row(figure, f"{ours_us} us", f"{theirs_us} us", ratio, str(TARGET), verdict, note)
