"""The commands of ``kubectl voiceroom`` as a person types them, against a cluster in memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fakes.kubecluster import FakeCluster
from voiceroom_kubectl import arguments, chaos
from voiceroom_kubectl.commands import COMMANDS, Session
from voiceroom_kubectl.doctor import Ask
from voiceroom_kubectl.output import Terminal
from voiceroom_kubectl.watch import Watch

NOW = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)


@dataclass
class Time:
    """Stands still but for sleeping; ``at_sleep`` is what happens meanwhile."""

    ns: int = 0
    at_sleep: Callable[[], None] = lambda: None

    def watch(self) -> Watch:
        """For a session."""
        return Watch(lambda: int(NOW.timestamp() * 1e9), lambda: self.ns, self._sleep)

    def _sleep(self, until_ns: int) -> None:
        self.at_sleep()
        self.ns = max(self.ns, until_ns)


@dataclass
class Typed:
    """What a command said."""

    cluster: FakeCluster
    time: Time = field(default_factory=Time)
    out: str = ""
    err: str = ""
    opened: list[str] = field(default_factory=list)
    ask: Ask | None = None
    """What pods report."""
    call: chaos.Ask | None = None
    """What pods answer on their admin port."""

    def run(self, *words: str) -> int:
        """The exit code."""
        out, err = io.StringIO(), io.StringIO()
        session = Session(
            self.cluster,
            Terminal(out, err),
            arguments.parse(words),
            self.time.watch(),
            self._browse,
            self.ask,
            self.call,
        )
        try:
            return COMMANDS[words[0]](session)
        finally:
            self.out, self.err = out.getvalue(), err.getvalue()

    def _browse(self, url: str) -> bool:
        self.opened.append(url)
        return True
