"""The demonstration in its acts: a call, a stall, the move, and time that is kept again."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from demo import callers, looking, picture, stage
from demo.callers import Gateways, Pages
from demo.outcome import PROMISED_S, lines
from demo.record import Record
from harness import drift
from harness.voice import Voice
from localcluster import cgroups, realtime
from localcluster.layout import Node

WARM_S = 15.0
"""The call as it should be; the pods have then kept time for longer than minHealthyAge (10 s)."""
CALM_S = 30.0
"""A machine that is busy by itself gets so long to become quiet."""
EAR_S = 0.25
MOVE_S, WHOLE_S, GOOD_S = 30.0, 20.0, 90.0
"""How long is waited for each; what does not come in time is said."""
AFTER_S = 4.0
"""The stall goes on for so long after all is well again: nobody is helped by its end."""


def run(out: Path, *, browser: bool) -> int:
    """All of it; the exit code."""
    record = Record(lambda line: print(line, flush=True))
    with stage.cluster_of_its_own() as machine, stage.room(machine) as voice:
        print(f"== {stage.EXAMPLE.name} is Ready, with a mixer pod on each node", flush=True)
        return _Call(voice, record, out, browser=browser).play()


@dataclass
class _Call:
    voice: Voice
    record: Record
    out: Path
    browser: bool

    def play(self) -> int:
        """Bring the people in, and everything that looks on."""
        found = callers.browser() if self.browser else ""
        talkers = tuple(callers.TONES) if found else ("Ada",)
        pods = self.voice.pods()
        (door,) = set(pods) - {self.voice.owner(looking.ROOM)}
        with ExitStack() as ends:
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="drift-demo-")))
            gateways = ends.enter_context(callers.gateways(self.voice, looking.ROOM, talkers))
            if not found:
                self.record.act("callers   no browser is at hand: two gateways only")
            browsers = callers.pages(self.voice, door, folder, self.record, wanted=bool(found))
            pages = ends.enter_context(browsers)
            kubeconfig = self.voice.cluster.kubeconfig
            watch = looking.watched(kubeconfig, pods, self.record, gateways.follow)
            ends.enter_context(watch)
            ear = (lambda: self.record.see([gateways.hearing()]), EAR_S)
            ends.enter_context(looking.repeated(ear))
            self._acts(pages)
            length_s = self._look_back(gateways)
        return self._show(gateways.pauses(), length_s)

    def _acts(self, pages: Pages) -> None:
        record, outcome = self.record, self.record.outcome
        node = str(self.voice.status(looking.ROOM)["nodeName"])
        drift.lead_from(self.voice.cluster, off=node)
        leader = drift.leads(self.voice.cluster)
        record.act(f"operator  leads from {leader}, so {PROMISED_S:g} s are promised")
        self._listen(pages, WARM_S)
        self._listen(pages, CALM_S, lambda: not outcome.is_calm)
        if not outcome.is_calm:
            record.act("machine   is busy by itself: pods find their time bad before any stall")
        _enforce(self.voice)
        record.act("operator  moves rooms from now on: remediation.mode Enforce")
        stalled = drift.node_of(self.voice, node)
        with realtime.stalled(stalled):
            record.stall(node, begins=True, words=_write(stalled))
            self._listen(pages, MOVE_S, lambda: outcome.moved_s is None)
            self._listen(pages, WHOLE_S, lambda: outcome.whole_s is None)
            self._listen(pages, AFTER_S)
        record.stall(node, begins=False)
        left = outcome.decided_s is not None
        self._listen(pages, GOOD_S, lambda: left and outcome.good_s is None)

    def _listen(
        self, pages: Pages, most_s: float, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """While it is wanted, and no longer than ``most_s``."""
        end_s = time.monotonic() + most_s
        while wanted() and time.monotonic() < end_s:
            pages.listen()

    def _look_back(self, gateways: Gateways) -> float:
        """Who is still there by the leg that he came with, what the gateway had, and how long it
        was since the stall, in seconds."""
        outcome, now_s = self.record.outcome, time.monotonic()
        there = {str(person["id"]) for person in gateways.people(self.voice)}
        self.record.see(gateways.seats(there, now_s))
        outcome.passage = gateways.passage(outcome.zero_s or now_s)
        return now_s - (outcome.zero_s or now_s)

    def _show(self, pauses: list[tuple[float, float]], length_s: float) -> int:
        """Table, picture, exit code; nobody is in the call any more, whom drawing would disturb."""
        outcome = self.record.outcome
        picture.draw(self.out, length_s, self.record.lateness_ms, pauses, outcome)
        print("\n" + "\n".join(lines(outcome.table())))
        print(f"picture: {self.out}", flush=True)
        for fault in outcome.faults():
            print(f"NOT AS PROMISED: {fault}", flush=True)
        return 1 if outcome.faults() else 0


def _enforce(voice: Voice) -> None:
    patch = json.dumps({"spec": {"remediation": {"mode": "Enforce"}}})
    voice.kubectl("patch", "mixerpool", looking.POOL, "--type=merge", "-p", patch)


def _write(node: Node) -> str:
    """The one write, as a person would make it."""
    where = cgroups.find()
    name, value = ("cpu.cfs_quota_us", "5000") if where.is_v1 else ("cpu.max", "5000 100000")
    file = where.root("cpu") / node.cgroup / name
    return f"echo {value} > {file}: every pod there stands still for 95 of 100 ms"
