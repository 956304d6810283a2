"""What keeps a mixer's control process from answering in time, for ``diagnose``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voiceroom_api import names, reasons
from voiceroom_api.diagnosis import evidence_words


@dataclass(frozen=True, slots=True)
class ControlLoop:
    """As media says it."""

    control: str = ""
    """Of ``names.VERDICTS``; empty = nothing, or not known."""
    control_evidence: tuple[str, ...] = ()


def read(said: Mapping[str, Any]) -> ControlLoop:
    """From a pod's ``GET /admin/v1/status``; what cannot be read counts as not known."""
    timing = said.get("timing")
    found = timing.get("control") if isinstance(timing, Mapping) else None
    if not isinstance(found, Mapping) or found.get("verdict") not in names.VERDICTS:
        return ControlLoop()
    evidence = found.get("evidence")
    entries = evidence if isinstance(evidence, list) else []
    words = evidence_words([entry for entry in entries if isinstance(entry, Mapping)])
    return ControlLoop(str(found["verdict"]), words)


def lines(loop: ControlLoop) -> Iterator[str]:
    """In plain words; none where nothing is wrong."""
    if loop.control:
        meanings = reasons.VOICE_ROOM[names.TIMING_HEALTHY].reasons
        meaning = meanings.get(names.verdict_reason(loop.control), "see the docs")
        shown = f" ({'; '.join(loop.control_evidence)})" if loop.control_evidence else ""
        yield f"  Control's loop: {loop.control}, {meaning}{shown}; joins wait, sound does not."
