"""Follows the media processes of the node and adds up what their pods waited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from voiceroom_api.probe_metrics import SCHEDULING
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.clockprobe.exposition import Distribution, Exposed, Series
from voiceroom_mixer.clockprobe.latency.processes import MediaProcess
from voiceroom_mixer.clockprobe.latency.waits import Source, Waits

SEARCH_NS: Final = 5 * NS_PER_S
"""A new pod's mixer is found so late at most."""
TELL_NS: Final = NS_PER_S
"""One signal a pod in so long: what it sets off in the mixer is not to be a load of its own."""
FORGET_NS: Final = 600 * NS_PER_S
"""A pod without a process for so long has gone, and its series with it."""

Pod = tuple[str, str]


@dataclass(slots=True)
class _Account:
    waits: Waits = field(default_factory=Waits)
    signals: int = 0
    told_ns: int = -TELL_NS
    seen_ns: int = 0


class Watch:
    """``look`` is called every ``source.period_ns``; ``exposed`` by whoever serves metrics."""

    def __init__(
        self,
        source: Source,
        reason: str,
        find: Callable[[], list[MediaProcess]],
        tell: Callable[[MediaProcess], bool],
    ) -> None:
        """``reason``: why the source is no better one. ``tell``: whether the signal was sent."""
        self._source, self._reason, self._find, self._tell = source, reason, find, tell
        self._processes: dict[int, MediaProcess] = {}
        self._before: dict[int, Waits] = {}
        self._accounts: dict[Pod, _Account] = {}
        self._search_ns = 0
        self._exposed: tuple[Series, Series] = ({}, {})

    def look(self, now_ns: int) -> None:
        """Read the source, search for processes when that is due, tell those that waited long."""
        if now_ns >= self._search_ns:
            self._search_ns = now_ns + SEARCH_NS
            self._search(now_ns)
        for pid, waits in self._source.read().items():
            self._add(self._processes[pid], waits, now_ns)
        self._publish()

    def _search(self, now_ns: int) -> None:
        self._processes = {process.pid: process for process in self._find()}
        self._source.follow(tuple(self._processes))
        self._before = {pid: w for pid, w in self._before.items() if pid in self._processes}
        for process in self._processes.values():
            self._accounts.setdefault(process.pod, _Account()).seen_ns = now_ns
        for pod, account in tuple(self._accounts.items()):
            if now_ns - account.seen_ns >= FORGET_NS:
                del self._accounts[pod]

    def _add(self, process: MediaProcess, waits: Waits, now_ns: int) -> None:
        account = self._accounts[process.pod]
        new = waits.since(self._before.get(process.pid, Waits()))
        self._before[process.pid] = waits
        account.waits = account.waits.plus(new)
        if new.long and now_ns - account.told_ns >= TELL_NS and self._tell(process):
            account.told_ns = now_ns
            account.signals += 1

    def _publish(self) -> None:
        """Whole, in one assignment: threads that serve metrics read it at any time."""
        name = self._source.name
        accounts = self._accounts.items()
        waits: Series = {(*pod, name): _distribution(own.waits) for pod, own in accounts}
        sent: Series = {pod: own.signals for pod, own in accounts}
        self._exposed = (waits, sent)

    def exposed(self) -> Exposed:
        """The metrics of ``SCHEDULING``, in their order."""
        latency, signals, info = SCHEDULING
        waits, sent = self._exposed
        labels: Series = {(self._source.name, self._reason): 1}
        return [(latency, waits), (signals, sent), (info, labels)]


def _distribution(waits: Waits) -> Distribution:
    return Distribution(waits.buckets, waits.sum_ns / NS_PER_S)
