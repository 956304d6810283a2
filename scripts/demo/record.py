"""Everything that is seen, from any thread: told at once, added up, and kept for the picture."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from demo.facts import Act, Fact, Stall
from demo.outcome import Outcome
from demo.story import Story


@dataclass
class Record:
    """``say`` prints a line."""

    say: Callable[[str], None]
    outcome: Outcome = field(default_factory=Outcome)
    lateness_ms: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    """Of each node's pod at p99, by second of CLOCK_MONOTONIC."""
    _story: Story = field(default_factory=Story)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def see(self, facts: Iterable[Fact]) -> None:
        """Some that were seen together."""
        with self._lock:
            for fact in facts:
                self.outcome.see(fact)
                for line in self._story.see(fact):
                    self.say(line)

    def act(self, words: str) -> None:
        """What is done now."""
        self.see([Act(time.monotonic(), words)])

    def stall(self, node: str, *, begins: bool, words: str = "") -> None:
        """Now."""
        self.see([Stall(time.monotonic(), node, begins, words)])

    def keep(self, node: str, lateness_ms: dict[int, float]) -> None:
        """Seconds that a pod shows; the last word on each counts."""
        with self._lock:
            self.lateness_ms[node] |= lateness_ms
