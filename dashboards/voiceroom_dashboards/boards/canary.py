"""Grey release: where each canary stands, and the three indicators by which its gate decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voiceroom_dashboards.boards.model import Board, Colour, Mark, Panel, Query, Row, Variable
from voiceroom_dashboards.boards.queries import (
    BY_POOL,
    NAMESPACE,
    POOLS,
    per_s,
    pick,
    total,
    worst,
)
from voiceroom_dashboards.rules import recording
from voiceroom_dashboards.rules.model import DOCS
from voiceroom_dashboards.rules.promql import WINDOW, of_leader

_NAME: Final = "voiceroom_operator_canary"
_BY: Final = f"{BY_POOL}, of"
_WHO: Final = "{{namespace}}/{{pool}}"
PHASES: Final[Mapping[str, Colour]] = {
    "Waiting": "yellow",
    "Observing": "orange",
    "Promoting": "orange",
    "Promoted": "green",
    "RolledBack": "red",
}
"""And the colour of each; their order is their number in the picture."""
_PAGE: Final = f"[docs/canary.md]({DOCS}/canary)"
_NAMESPACES: Final = 'namespace=~"$namespace"'
_JITTER: Final = "voiceroom_media_jitter_seconds"
_RECOVERIES: Final = "voiceroom_clock_recoveries_total"


def _phase() -> str:
    """Of each canary, as its place in ``PHASES``."""
    chosen = (_of("phase", f'phase="{phase}"') for phase in PHASES)
    each = (f"{place} * {worst(one, _BY)}" for place, one in enumerate(chosen))
    return " + ".join(each)


def _of(name: str, more: str = "") -> str:
    return of_leader(pick(f"{_NAME}_{name}", POOLS, more))


def _indicator(name: str, of: str, legend: str) -> Query:
    return Query(worst(_of(name, f'indicator="{of}"'), _BY), f"{_WHO} {legend}")


def _figure(of: str, says: str, unit: str) -> tuple[Panel, Panel]:
    """An indicator beside its limit, and its samples beside what it needs."""
    return (
        Panel(
            of,
            says,
            unit,
            (_indicator("indicator", of, "is"), _indicator("limit", of, "limit")),
        ),
        Panel(
            f"{of}: samples",
            "In its window, and how many it needs: with fewer the gate waits, for ever if need be.",
            "short",
            (_indicator("samples", of, "samples"), _indicator("needed", of, "needed")),
        ),
    )


def _rooms() -> str:
    shown = of_leader(pick("voiceroom_operator_rooms", _NAMESPACES))
    return total(shown, "namespace")


def _share(part: str, whole: str) -> str:
    """Of counters, in each pool."""
    return f"{per_s(part, BY_POOL)} / {per_s(whole, BY_POOL)}"


def _began(phases: str) -> str:
    """For a minute from when a canary came into one of those phases."""
    chosen = pick(f"{_NAME}_phase", POOLS, f'phase=~"{phases}"')
    before = f"{chosen} offset {WINDOW} and on (job, instance) voiceroom_operator_leader"
    was = f"max by ({_BY}, phase) ({before} offset {WINDOW} == 1) == 1"
    return f"{worst(of_leader(chosen), f'{_BY}, phase')} == 1 unless {was}"


_STANDS: Final = Row(
    "Where it stands",
    f"A canary tries an image, or settings, on a share of another pool's rooms: {_PAGE}. Lines "
    "across all pictures: when it was promoted or rolled back.",
    (
        Panel(
            "Phase",
            "Of each canary. It ends Promoted or RolledBack.",
            "short",
            (Query(_phase(), f"{_WHO} of {{{{of}}}}"),),
            "states",
            16,
            words={place: (phase, colour) for place, (phase, colour) in enumerate(PHASES.items())},
        ),
        Panel(
            "Why",
            "Why it is in that phase, or stays in it; what each means is in docs/canary.md.",
            "short",
            (Query(f"{worst(_of('reason'), f'{_BY}, reason')} == 1"),),
            "facts",
            8,
        ),
        Panel(
            "Share of rooms",
            "That the canary runs of the other pool's, of all rooms of the namespace.",
            "percentunit",
            (
                Query(
                    f"{worst(_of('rooms'), _BY)} / on (namespace) group_left () {_rooms()}",
                    f"{_WHO} of {{{{of}}}}",
                ),
            ),
        ),
        Panel(
            "People by pool",
            "Where they are: all pools of the namespace.",
            "short",
            (
                Query(
                    worst(
                        of_leader(pick("voiceroom_operator_pool_participants", _NAMESPACES)),
                        BY_POOL,
                    ),
                    _WHO,
                ),
            ),
        ),
        Panel(
            "Rooms that it has of the other pool",
            "They go back when it is over, promoted or not.",
            "short",
            (Query(worst(_of("rooms"), _BY), f"{_WHO} of {{{{of}}}}"),),
        ),
    ),
)
_GATE: Final = Row(
    "The gate",
    "What the operator decides by, as it is on record. All three good after gate.observe: it is "
    f"promoted. One bad: it is rolled back at once ({_PAGE}).",
    (
        *_figure(
            "Lateness",
            "p99 of its ticks; has to be below the limit. Skipped ticks count as later than all "
            "others, so it may be above what the mixers' own p99 shows.",
            "s",
        ),
        *_figure(
            "Jitter",
            "Share of samples of at most 30 ms; has to be above the limit.",
            "percentunit",
        ),
        *_figure(
            "Recoveries",
            "Share of faults of time that were over within 10 s; has to be above the limit. "
            "Nothing is shown while there was no fault, which is good.",
            "percentunit",
        ),
    ),
)
_BESIDE: Final = Row(
    "Beside the other pool",
    "The same of all pools at the same time, by the mixers' own figures: what both show is the "
    "network's or the machines', not the image's.",
    (
        Panel(
            "Lateness p99, worst pod",
            "Of ticks in the last minute.",
            "s",
            (Query(worst(pick(recording.LATE_P99, _NAMESPACES), BY_POOL), _WHO),),
        ),
        Panel(
            "Jitter of at most 30 ms",
            "Share of the legs' seconds.",
            "percentunit",
            (
                Query(
                    _share(
                        pick(f"{_JITTER}_bucket", _NAMESPACES, 'le="0.03"'),
                        pick(f"{_JITTER}_count", _NAMESPACES),
                    ),
                    _WHO,
                ),
            ),
        ),
        Panel(
            "Faults of time",
            "By how they ended, as the gate counts them.",
            "ops",
            (
                Query(
                    per_s(pick(_RECOVERIES, _NAMESPACES), f"{BY_POOL}, status"),
                    f"{_WHO} {{{{status}}}}",
                ),
            ),
        ),
        Panel(
            "Pods",
            "Mixer pods by state: a canary without a ready one for gate.deadline is rolled back.",
            "short",
            (
                Query(
                    worst(
                        of_leader(pick("voiceroom_operator_pool_pods", _NAMESPACES)),
                        f"{BY_POOL}, state",
                    ),
                    f"{_WHO} {{{{state}}}}",
                ),
            ),
        ),
    ),
    ("VoiceroomTicksLate", "VoiceroomHeadroomLow"),
)
_ACT: Final = Row(
    "Act",
    """To be copied; choose one namespace and canary above. Rooms are moved, and nobody rejoins.

```sh
kubectl voiceroom canary $pool -n $namespace
kubectl voiceroom canary $pool promote -n $namespace --why "seen on the board"
kubectl voiceroom canary $pool rollback -n $namespace --why "seen on the board"
kubectl voiceroom canary $pool retry -n $namespace --why "seen on the board"
```
""",
    (),
)
_ONE: Final = Variable(
    "pool",
    f"label_values({_NAME}_phase{{{_NAMESPACES}}}, pool)",
    "Canary: a MixerPool with spec.canary.",
)

CANARY: Final = Board(
    "canary",
    "Voiceroom: grey release",
    "Where each canary stands, and the three indicators by which its gate decides.",
    (NAMESPACE, _ONE),
    (_STANDS, _GATE, _BESIDE, _ACT),
    (
        Mark("Promoted", _began("Promoting|Promoted"), f"{_WHO}: {{{{phase}}}}", "green"),
        Mark("Rolled back", _began("RolledBack"), f"{_WHO}: {{{{phase}}}}", "red"),
    ),
)
