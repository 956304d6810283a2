"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the whole run."""

    pods: int = 20
    few: int = 10
    """Rooms that are there at first."""
    many: int = 1000
    """Rooms that are there at last."""
    applies: int = 100
    """One after the other, at few rooms and at many."""
    changes: int = 30
    """One a second, at few rooms and at many."""
    rest_s: float = 60.0
    calm_s: float = 30.0
    """Between two measurements."""

    @staticmethod
    def quick() -> Settings:
        """To see that it works."""
        return Settings(pods=3, few=5, many=40, applies=5, changes=5, rest_s=10.0, calm_s=5.0)
