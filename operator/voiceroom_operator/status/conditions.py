"""Conditions as Kubernetes has them: what is wanted, settled against what was written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Truth = Literal["True", "False", "Unknown"]

_MESSAGE_CHARS = 32_768


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as it ought to be."""

    type: str
    status: Truth
    reason: str
    """CamelCase, of ``voiceroom_api.reasons``."""
    message: str = ""


def truth(value: bool | None) -> Truth:
    """None = not known."""
    return "Unknown" if value is None else "True" if value else "False"


def settle(
    written: Iterable[Mapping[str, Any]],
    wanted: Iterable[Condition],
    generation: int,
    now_s: float,
) -> list[dict[str, Any]]:
    """The list to write: the times of those whose status has not changed are kept, and so are
    conditions of types that are not ours. ``now_s`` in Unix seconds."""
    before = {condition["type"]: condition for condition in written}
    after = {
        condition.type: _settled(before.get(condition.type, {}), condition, generation, now_s)
        for condition in wanted
    }
    foreign = [dict(old) for kind, old in before.items() if kind not in after]
    return [*after.values(), *foreign]


def _settled(
    old: Mapping[str, Any], condition: Condition, generation: int, now_s: float
) -> dict[str, Any]:
    same = old.get("status") == condition.status and "lastTransitionTime" in old
    return {
        "type": condition.type,
        "status": condition.status,
        "observedGeneration": generation,
        "lastTransitionTime": old["lastTransitionTime"] if same else timestamp(now_s),
        "reason": condition.reason,
        "message": condition.message[:_MESSAGE_CHARS],
    }


def whole_s(at_s: float) -> float:
    """As a status can have it, and never earlier: what is counted from there is not cut short."""
    return float(math.ceil(at_s))


def later_s(at_s: float) -> float:
    """The next whole second: what lasts until then has lasted until ``at_s`` for sure."""
    return float(math.floor(at_s) + 1)


def timestamp(now_s: float) -> str:
    """RFC 3339 in UTC, whole seconds, as Kubernetes writes it."""
    return datetime.fromtimestamp(int(now_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
