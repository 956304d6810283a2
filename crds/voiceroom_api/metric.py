"""What is told of one metric, whoever exports it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram", "info"]
Stability = Literal["stable", "alpha"]
"""stable: name, unit and labels do not change once released. alpha: they may, with a notice."""

LATENESS_BUCKETS_S: Final = (
    50e-6, 100e-6, 120e-6, 250e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family."""

    name: str
    kind: Kind
    help: str
    unit: str = ""
    """``seconds``, ``bytes`` or ``ppm``; empty for plain counts."""
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram in ``unit``, without +Inf."""
    stability: Stability = "stable"
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Labels whose values are known beforehand: the exporter starts all of them at 0."""
