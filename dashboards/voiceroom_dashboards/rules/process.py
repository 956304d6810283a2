"""Alerts about what a mixer's processes use up: the table of the article, for people.

What it measured in goroutines, allocations and mutexes is here tasks of control, PCM buffers beyond
the pool, and waits for locks. In a mixer that is well the first hardly moves and the others are 0.
"""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.rules.model import Alert, Group
from voiceroom_dashboards.rules.promql import EVALUATION_S, POD, increase, rate

MOST_TASKS: Final = 5000
PCM_BYTES_PER_S: Final = 1e9
LOCK_WAIT_S: Final = 10
"""In a minute."""
_AT: Final = "{{ $labels.namespace }}/{{ $labels.pod }} on {{ $labels.node }}"


def _grows() -> str:
    """Many, and more from minute to minute: a full pod has many that stay."""
    many = f"max by ({POD}) (voiceroom_tasks) > {MOST_TASKS}"
    return f"{many} and max by ({POD}) (deriv(voiceroom_tasks[10m])) > 0"


PROCESS: Final = Group(
    "voiceroom.process",
    (
        Alert(
            "VoiceroomTasksGrow",
            "warning",
            _grows(),
            f"Tasks of {_AT} grow without end",
            "{{ $value }} asyncio tasks in control, and more each minute: something is begun for "
            "each join or request and never ends.",
            "cause",
            for_s=60,
        ),
        Alert(
            "VoiceroomPcmAllocation",
            "warning",
            f"{rate('voiceroom_pcm_bytes_allocated_total')} > {PCM_BYTES_PER_S:g}",
            f"{_AT} allocates sound buffers without end",
            "{{ $value | humanize1024 }}B a second beyond the pool that is there for them.",
            "cause",
            for_s=30,
        ),
        Alert(
            "VoiceroomLockWait",
            "warning",
            f"{increase('voiceroom_lock_wait_seconds_total', '1m')} > {LOCK_WAIT_S}",
            f"{_AT} waits for locks",
            "{{ $value | humanizeDuration }} of the last minute, in control: joins and events are "
            "slow; media has no lock.",
            "cause",
        ),
    ),
    EVALUATION_S,
)
