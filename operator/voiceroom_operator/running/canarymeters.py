"""Canaries as metrics: the figures that their gates go by, as they are on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voiceroom_api import names
from voiceroom_api.operator_metrics import BY_NAME
from voiceroom_operator.canary.indicators import NAMES, Indicator
from voiceroom_operator.canary.record import Record

_PHASE: Final = "voiceroom_operator_canary_phase"
_REASON: Final = "voiceroom_operator_canary_reason"
_ROOMS: Final = "voiceroom_operator_canary_rooms"
_VALUE: Final = "voiceroom_operator_canary_indicator"
_LIMIT: Final = "voiceroom_operator_canary_limit"
_SAMPLES: Final = "voiceroom_operator_canary_samples"
_NEEDED: Final = "voiceroom_operator_canary_needed"
_PHASES: Final = BY_NAME[_PHASE].values["phase"]
_S_PER_US: Final = 1e-6


class CanaryMeters:
    """Series of canaries that are gone are removed."""

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self._metrics = metrics
        self._shown: dict[str, set[tuple[str, str, str]]] = {}

    def show(self, namespace: str, records: Mapping[str, Record]) -> None:
        """All canaries of a namespace."""
        now = {(namespace, pool, record.of): record for pool, record in records.items()}
        for gone in self._shown.pop(namespace, set()) - now.keys():
            self._remove(gone)
        for labels, record in now.items():
            self._show(labels, record)
        if now:
            self._shown[namespace] = set(now)

    def _show(self, labels: tuple[str, str, str], record: Record) -> None:
        for phase in _PHASES:
            self._metrics[_PHASE].labels(*labels, phase).set(phase == record.phase)
        self._reason(labels, record.reason)
        self._metrics[_ROOMS].labels(*labels).set(record.rooms)
        known = {each.name: each for each in record.indicators}
        for name in NAMES:
            self._indicate(labels, name, known.get(name))

    def _reason(self, labels: tuple[str, str, str], reason: str) -> None:
        """One at a time: a table of those that hold is then of one line a canary."""
        for other in names.CANARY_REASONS:
            if other != reason:
                self._metrics[_REASON].remove(*labels, other)
        if reason:
            self._metrics[_REASON].labels(*labels, reason).set(1)

    def _indicate(
        self, labels: tuple[str, str, str], name: str, indicator: Indicator | None
    ) -> None:
        """What was not measured is not shown."""
        scale = _S_PER_US if name == "Lateness" else 1.0
        figures = (
            dict.fromkeys((_VALUE, _LIMIT, _SAMPLES, _NEEDED))
            if indicator is None
            else {
                _VALUE: indicator.value and indicator.value * scale,
                _LIMIT: indicator.limit * scale,
                _SAMPLES: float(indicator.samples),
                _NEEDED: float(indicator.needed),
            }
        )
        for metric, value in figures.items():
            if value is None:
                self._metrics[metric].remove(*labels, name)
            else:
                self._metrics[metric].labels(*labels, name).set(value)

    def _remove(self, labels: tuple[str, str, str]) -> None:
        for phase in _PHASES:
            self._metrics[_PHASE].remove(*labels, phase)
        self._reason(labels, "")
        self._metrics[_ROOMS].remove(*labels)
        for name in NAMES:
            self._indicate(labels, name, None)
