"""What a pod says that a grey release is judged by: ``indicators`` of its status report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voiceroom_operator.canary.counts import CALM_US, Counts, Vector, binned

_MOST: Final = 64
"""Buckets of a histogram."""


def counts_of(body: Mapping[str, Any]) -> Counts:
    """Of the whole report; what cannot be read counts as nothing."""
    said, boot_id = _mapping(body.get("indicators")), body.get("bootId")
    if not said or not isinstance(boot_id, str):
        return Counts()
    lateness, jitter = _mapping(said.get("lateness")), _mapping(said.get("jitter"))
    edges_us, ticks = _numbers(lateness.get("edgesUs")), _numbers(lateness.get("counts"))
    late = binned(edges_us, ticks, _count(lateness.get("skipped")))
    return Counts(boot_id, late, _jitter(jitter), _recoveries(_mapping(said.get("recoveries"))))


def _jitter(said: Mapping[str, Any]) -> Vector:
    edges_us, counts = _numbers(said.get("edgesUs")), _numbers(said.get("counts"))
    calm = sum(n for edge, n in zip(edges_us, counts, strict=False) if edge <= CALM_US)
    return calm, sum(counts)


def _recoveries(said: Mapping[str, Any]) -> Vector:
    return _count(said.get("recovered")), sum(map(_count, list(said.values())[:_MOST]))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(map(_count, value[:_MOST])) if isinstance(value, list) else ()


def _count(value: object) -> int:
    known = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if known else 0  # type: ignore[return-value]
