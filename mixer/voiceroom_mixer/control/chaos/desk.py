"""Which fault is being injected, by whose order and until when.

The order stands in every media process's segment, so it outlives this process. Its end does not
need this process either: media goes by the deadline. What is done here is to tell of it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.chaos import order
from voiceroom_mixer.control.export.clockfacts import report
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.chaos import Injection
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment

_log = logging.getLogger(__name__)
EVENT: Final = "chaos"
"""The room event: ``{"active", "id", "kind", "why"?}``."""
Why = Literal["deadline", "asked"]


class ChaosDesk:
    """Takes orders, one at a time."""

    def __init__(
        self,
        segments: Sequence[Segment],
        numbers: Numbers,
        *,
        publish: Callable[[str, str, dict[str, Any]], None],
        rooms: Callable[[], Iterable[str]],
        true_ns: Callable[[], int],
        wall_ns: Callable[[], int],
    ) -> None:
        """``true_ns``: the kernel's CLOCK_MONOTONIC; no injection touches it."""
        self._tables = [segment.tables["control"] for segment in segments]
        self._segments, self._numbers = segments, numbers
        self._publish, self._rooms = publish, rooms
        self._true_ns, self._wall_ns = true_ns, wall_ns
        kept = self._tables[0].read(layout.CONTROL_CHAOS)
        self._held = Injection.from_bytes(kept) if kept else None
        """The newest, until its end was told; perhaps of the control process before this one."""

    def start(self, body: Mapping[str, Any], by: str) -> dict[str, Any]:
        """The document afterwards. Raises ``ApiError`` 409, 422."""
        wanted = order.read(body)
        self.look()
        if self._held is not None:
            raise ApiError(409, "chaos_runs", self._refusal(self._held))
        injection = wanted.begin(secrets.token_hex(4), by, self._true_ns())
        for table in self._tables:
            table.write(layout.CONTROL_CHAOS, injection.to_bytes())
        self._held = injection
        self._numbers.count("voiceroom_chaos_injections_total", kind=injection.kind)
        self._tell(injection, active=True)
        return self.document()

    def _refusal(self, held: Injection) -> str:
        left_s = held.left_ns(self._true_ns()) / NS_PER_S
        return f"{held.kind} of {held.by} runs for another {left_s:.1f} s: wait, or DELETE it"

    def end(self, by: str) -> dict[str, Any]:
        """Before its time; the document afterwards. Harmless when none runs."""
        self.look()
        if self._held is not None:
            self._over(self._held, "asked", by)
        return self.document()

    def look(self, _now_ns: int = 0) -> None:
        """About once a second: tell that the deadline has come."""
        held = self._held
        if held is not None and not held.runs(self._true_ns()):
            self._over(held, "deadline", held.by)
        self._numbers.set("voiceroom_chaos_active", self._held is not None)

    def _over(self, held: Injection, why: Why, by: str) -> None:
        for table in self._tables:
            table.clear(layout.CONTROL_CHAOS)
        self._held = None
        self._tell(held, active=False, why=why, by=by)

    def _tell(self, injection: Injection, *, active: bool, **more: str) -> None:
        """The log, which is the audit; the rooms; the gauge."""
        self._numbers.set("voiceroom_chaos_active", active)
        words = "chaos: a fault is injected" if active else "chaos: the fault is over"
        _log.warning(words, extra=shown(injection) | more)
        data = {"active": active, "id": injection.id, "kind": injection.kind}
        if "why" in more:
            data["why"] = more["why"]
        for room in self._rooms():
            self._publish(room, EVENT, dict(data))

    def document(self) -> dict[str, Any]:
        """What runs and until when, and what each media process says of its time."""
        true_ns, held = self._true_ns(), self._held
        active = None
        if held is not None and held.runs(true_ns):
            left_ns = held.left_ns(true_ns)
            until_s = (self._wall_ns() + left_ns) // NS_PER_S
            until = datetime.fromtimestamp(until_s, UTC).isoformat().replace("+00:00", "Z")
            active = shown(held) | {"until": until, "leftMs": left_ns // NS_PER_MS}
        timing = [report(segment, layout.REPORT_TIMING) for segment in self._segments]
        return {"active": active, "verdicts": [one.get("verdict") for one in timing]}


def shown(injection: Injection) -> dict[str, Any]:
    """As it was ordered."""
    numbers = {
        "offsetMs": injection.offset_ns // NS_PER_MS,
        "ppm": injection.ppm,
        "freezeMs": injection.stop_ns // NS_PER_MS,
        "periodMs": injection.period_ns // NS_PER_MS,
    }
    clock = {} if injection.kind == "freeze" else {"clock": injection.clock}
    for_ms = (injection.until_ns - injection.began_ns) // NS_PER_MS
    head = {"id": injection.id, "kind": injection.kind, "by": injection.by, "forMs": for_ms}
    return head | clock | {name: value for name, value in numbers.items() if value}
