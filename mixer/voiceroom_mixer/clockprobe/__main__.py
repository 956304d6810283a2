"""``voiceroom-clock-probe``: measures in processes of their own, serves what they have seen."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final, NoReturn

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.clockprobe import cli, crew
from voiceroom_mixer.clockprobe.door import Door
from voiceroom_mixer.clockprobe.ebpf.btf import BtfError
from voiceroom_mixer.clockprobe.ebpf.kernel import BpfError
from voiceroom_mixer.clockprobe.exposition import render, timers
from voiceroom_mixer.clockprobe.latency import choose, processes
from voiceroom_mixer.clockprobe.latency.choose import Wanted
from voiceroom_mixer.clockprobe.latency.watch import Watch
from voiceroom_mixer.clockprobe.nodetimes import node_times
from voiceroom_mixer.edge import clock, probepage
from voiceroom_mixer.edge.probepage import ProbePage

SILENT_NS: Final = 30 * NS_PER_S
"""Without a visit for so long it is not alive. A stalled node is no reason to restart it."""


class Probe:
    """The process that serves; those that measure are its children."""

    def __init__(self, page: ProbePage, visits: str, now_ns: int) -> None:
        """``visits``: ``in-turn`` or ``parallel``; ``now_ns``: of the start."""
        self._page, self._visits, self._begun_ns = page, visits, now_ns
        self.watch: Watch | None = None
        """Of scheduling latency, where that is wanted."""

    def expose(self, openmetrics: bool) -> str:
        """The text of ``/metrics``."""
        figures = self._page.figures(clock.monotonic_ns())
        exposed = list(timers(figures, self._visits, self._page.reason()))
        exposed += node_times()
        if self.watch is not None:
            exposed += self.watch.exposed()
        return render(exposed, openmetrics=openmetrics)

    def health(self) -> dict[str, Any]:
        """What ``/healthz`` says."""
        return health(self._page, self._begun_ns, clock.monotonic_ns())


def health(page: ProbePage, begun_ns: int, now_ns: int) -> dict[str, Any]:
    """Alive while CPUs are visited, and for a while after the start."""
    figures = page.figures(now_ns)
    silent_ns = now_ns - max(begun_ns, figures.seen_ns)
    return {
        "alive": silent_ns < SILENT_NS,
        "silentSeconds": round(silent_ns / NS_PER_S, 3),
        "cpus": sorted(figures.max_ns),
        "policy": figures.policy,
        "priority": figures.priority,
    }


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """As PID 1 of a container it would not be ended by a signal that nobody handles."""
    raise SystemExit(0)


def _attend(measuring: int, look: Callable[[int], None], period_ns: int) -> NoReturn:
    """``look`` every ``period_ns`` while the process ``measuring`` is there."""
    while True:
        if os.waitpid(measuring, os.WNOHANG)[0]:
            _fail("the process that measures has ended")
        now_ns = clock.monotonic_ns()
        look(now_ns)
        clock.sleep_until(now_ns + period_ns)


def _watch(wanted: Wanted) -> tuple[Watch | None, int]:
    """What to look with, and how often."""
    if wanted == "none":
        return None, NS_PER_S
    try:
        source, reason = choose.source(wanted)
    except (BtfError, BpfError) as error:
        _fail(f"--sched-latency ebpf: {choose.words(error)}")
    return Watch(source, reason, processes.find, processes.tell), source.period_ns


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"voiceroom-clock-probe: {message}\n")
    raise SystemExit(1)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run until told to stop. Exit code 1: it cannot listen, or can no longer measure."""
    args = cli.parse(argv)
    ask, page = cli.ask(args), probepage.anonymous()
    probe = Probe(page, "parallel" if ask.parallel else "in-turn", clock.monotonic_ns())
    try:
        door = Door(args.listen, probe.expose, probe.health)
    except OSError as error:
        _fail(f"--listen {args.listen}: {error.strerror}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    page.started()
    measuring = crew.fork(lambda: crew.measure(page, ask), "clock-probe")
    # after the fork: whoever measures has none of it in memory
    probe.watch, period_ns = _watch(args.sched_latency)
    door.open()
    _attend(measuring, probe.watch.look if probe.watch else lambda _: None, period_ns)


if __name__ == "__main__":
    main()
