"""What a case gets: settings, a voice, and a place for its windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.compare import Arm, Side, alternate
from bench.settings import Settings


@dataclass
class Context:
    """Of one run."""

    settings: Settings
    say: Callable[[str], None]
    windows: dict[str, Any] = field(default_factory=dict)

    def compare(self, name: str, *arms: Arm) -> list[Side]:
        """Measure the arms in turns, and keep every window under ``name``."""
        sides = alternate(arms, self.settings.repeats, self.say)
        self.windows[name] = [side.to_dict() for side in sides]
        return sides

    def alone(self, name: str, arm: Arm) -> Side:
        """Measure one that has no peer."""
        return self.compare(name, arm)[0]
