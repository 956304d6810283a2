"""Alerts about what mixers take away to keep time. For people: the operator sees the cause itself.

A breaker that opens once, or a level that is given back within a minute, is a defence that has
worked: nobody is told of it.
"""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.rules import recording
from voiceroom_dashboards.rules.model import Alert, Group
from voiceroom_dashboards.rules.promql import EVALUATION_S, FOR_S, KEEP_S, POD, WINDOW

BREAKER_OPEN: Final = 2
"""As exported; half-open is 1."""
PRESSED: Final = 1
HEARD: Final = 2
"""The first level of the ladder that people notice."""
ONE_VOICE: Final = 4
"""From here on only the loudest person is heard."""
_AT: Final = "{{ $labels.namespace }}/{{ $labels.pod }} on {{ $labels.node }}"


def _open() -> str:
    """Half of a minute's scrapes; half-open, which comes before it closes, counts half."""
    mean = f"max by ({POD}) (avg_over_time(voiceroom_breaker_state[{WINDOW}]))"
    return recording.of_served(f"{mean} >= {BREAKER_OPEN / 2:g}")


def _stays_at(level: int) -> str:
    """At each of a minute's scrapes at this level or below."""
    least = f"max by ({POD}) (min_over_time(voiceroom_ladder_level[{WINDOW}]))"
    return recording.of_served(f"{least} >= {level}")


DEFENCE: Final = Group(
    "voiceroom.defence",
    (
        Alert(
            "VoiceroomBreakerOpen",
            "warning",
            _open(),
            f"The timing breaker of {_AT} stays open",
            "Ticks are missed, or clocks jump, again and again: each time the breaker would close, "
            "there is the next. The ladder takes a step every 2 s meanwhile.",
            "timing",
            for_s=FOR_S,
            keep_s=KEEP_S,
        ),
        Alert(
            "VoiceroomPressed",
            "info",
            _stays_at(PRESSED),
            f"{_AT} is short of time",
            "Level {{ $value }} of the ladder for some minutes: at level 1 chores wait and Opus is "
            "cheaper, which nobody hears; from 2 on another alert fires, too.",
            "timing",
            for_s=300,
        ),
        Alert(
            "VoiceroomSoundReduced",
            "warning",
            _stays_at(HEARD),
            f"{_AT} has taken away what people notice",
            "Level {{ $value }} of the ladder for two minutes: three talkers at one volume, and "
            "from 3 on sound that comes later and no FEC.",
            "timing",
            for_s=60,
            keep_s=KEEP_S,
        ),
        Alert(
            "VoiceroomSoundCut",
            "critical",
            _stays_at(ONE_VOICE),
            f"Only the loudest person is heard in rooms of {_AT}",
            "Level {{ $value }} of the ladder for more than a minute: nothing is mixed any more, "
            "and at 5 nobody can join.",
            "timing",
            for_s=FOR_S,
            keep_s=KEEP_S,
        ),
    ),
    EVALUATION_S,
)
