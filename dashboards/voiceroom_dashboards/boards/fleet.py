"""Fleet: is anybody cut off, how much of the promise is used up, and is there room for more."""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.boards.model import Board, Panel, Query, Row
from voiceroom_dashboards.boards.queries import (
    BY_POD,
    BY_POOL,
    NAMESPACE,
    POOL,
    POOLS,
    RANGE,
    most,
    per_s,
    pick,
    total,
    worst,
)
from voiceroom_dashboards.rules import recording, slo
from voiceroom_dashboards.rules.promql import of_leader

_NAMESPACES: Final = 'namespace=~"$namespace"'
_BUDGET: Final = 1 - slo.OBJECTIVE
_WHO: Final = "{{namespace}}/{{pool}}"
_TOP: Final = 5


def _rooms() -> Query:
    phases = of_leader(pick("voiceroom_operator_rooms", _NAMESPACES))
    return Query(total(phases, "phase"), "{{phase}}")


def _of_pools(metric: str, legend: str = _WHO, more: str = "", by: str = BY_POOL) -> Query:
    return Query(worst(of_leader(pick(f"voiceroom_operator_{metric}", POOLS, more)), by), legend)


def _verdicts() -> Query:
    pods = worst(pick("voiceroom_drift_cause", POOLS), f"{BY_POD}, cause")
    return Query(f"count by (cause) ({pods} == 1)", "{{cause}}")


def _kept_share() -> str:
    lost = pick(slo.lost_of_pool("1h"), POOLS)
    return f"(1 - avg by ({BY_POOL}) (avg_over_time({lost}[{RANGE}])))"


def _kept() -> Query:
    return Query(_kept_share(), _WHO)


def _burn(window: str) -> Query:
    lost = worst(pick(slo.lost_of_pool(window), POOLS), BY_POOL)
    return Query(f"{lost} / {_BUDGET:g}", f"{_WHO} {window}")


_NOW: Final = Row(
    "Now",
    "Rooms that are neither Ready nor Moving are cut off, or will be.",
    (
        Panel("Rooms", "VoiceRooms by phase.", "short", (_rooms(),), "number", 6),
        Panel(
            "People",
            "People in the rooms of each pool.",
            "short",
            (_of_pools("pool_participants"),),
            "number",
            6,
        ),
        Panel(
            "Pods",
            "Mixer pods that are wanted, ready and draining.",
            "short",
            (_of_pools("pool_pods", f"{_WHO} {{{{state}}}}", by=f"{BY_POOL}, state"),),
            "number",
            6,
        ),
        Panel(
            "Pods with a verdict",
            "How many pods say now that time is not kept, by cause. Nothing here is good.",
            "short",
            (_verdicts(),),
            "number",
            6,
            steps=((1, "orange"),),
        ),
    ),
    (
        "VoiceroomRoomsNotServed",
        "VoiceroomMixerSilent",
        "VoiceroomTicksStopped",
        "VoiceroomOperatorNoLeader",
    ),
)
_PROMISE: Final = Row(
    "Frames on time",
    f"{slo.OBJECTIVE:.1%} of frames are mixed within their time. A burn of 1 uses the budget up "
    "exactly; the alerts fire where the long and the short window are both above their line.",
    (
        Panel(
            "On time",
            "Share of frames on time within what is shown.",
            "percentunit",
            (_kept(),),
            "number",
            4,
            ((slo.OBJECTIVE, "green"),),
            below="red",
        ),
        Panel(
            "Budget left",
            "Of the frames that may be late within what is shown; below 0 the promise is broken.",
            "percentunit",
            (Query(f"1 - (1 - {_kept_share()}) / {_BUDGET:g}", _WHO),),
            "number",
            4,
            ((0, "orange"), (0.25, "green")),
            below="red",
        ),
        Panel(
            "Burn",
            "How many times faster than the objective allows frames are lost, by window.",
            "short",
            tuple(_burn(window) for window in slo.WINDOWS),
            width=16,
            steps=((slo.SLOW, "orange"), (slo.FAST, "red")),
        ),
        Panel(
            "Lateness p99, worst pod",
            "Lateness of ticks at p99 in the worst pod of each pool.",
            "s",
            (Query(worst(pick(recording.LATE_P99, POOLS), BY_POOL), _WHO),),
        ),
        Panel(
            "Ticks lost, worst pods",
            f"Share of ticks that were skipped or a frame late; the {_TOP} worst pods.",
            "percentunit",
            (Query(most(_TOP, worst(pick(recording.LOST, POOLS), BY_POD)), "{{pod}}"),),
        ),
    ),
    ("VoiceroomFrameBudgetFast", "VoiceroomFrameBudgetSlow", "VoiceroomTicksLost"),
)
_ROOMS: Final = Row(
    "Rooms",
    "How many there are, who comes, and who is refused.",
    (
        Panel("Rooms by phase", "VoiceRooms by phase.", "short", (_rooms(),)),
        Panel(
            "People by pool",
            "People in the rooms of each pool.",
            "short",
            (_of_pools("pool_participants"),),
        ),
        Panel(
            "Joins",
            "Joins by result; all but ok were refused, and say why.",
            "reqps",
            (Query(per_s(pick("voiceroom_joins_total", POOLS), "result"), "{{result}}"),),
        ),
        Panel(
            "Largest rooms",
            "The ten rooms with most people; those beyond a pod's cap are not told apart.",
            "short",
            (
                Query(
                    most(
                        10,
                        worst(
                            pick("voiceroom_participants", POOLS, 'room!="other"'),
                            "namespace, room",
                        ),
                    )
                ),
            ),
            "table",
        ),
    ),
    ("VoiceroomRoomsNotServed",),
)
_MOVES: Final = Row(
    "Moves",
    "A move takes a second or two and is not heard. Taken: without the word of the pod before.",
    (
        Panel(
            "Decisions",
            "Changes of rooms' bindings that the operator put on record.",
            "ops",
            (Query(per_s("voiceroom_operator_decisions_total", "action"), "{{action}}"),),
        ),
        Panel(
            "Rooms that changed pods",
            "What pods did: moved by the word of the one before, taken without it, stopped.",
            "ops",
            (Query(per_s(pick("voiceroom_rooms_changed_total", POOLS), "how"), "{{how}}"),),
        ),
        Panel(
            "Relayed legs",
            "Legs of rooms that a pod has given away, until their clients have followed.",
            "short",
            (Query(total(pick("voiceroom_relayed_legs", POOLS), BY_POOL), _WHO),),
        ),
        Panel(
            "Unprotected legs",
            "WebRTC legs that do not know the pod which stands by: the loss of a pod is heard.",
            "short",
            (Query(total(pick("voiceroom_unprotected_legs", POOLS), BY_POOL), _WHO),),
        ),
    ),
    ("VoiceroomMoveFailed", "VoiceroomRoomsTakenOver", "VoiceroomStormStopped"),
)
_SPACE: Final = Row(
    "Headroom",
    "Whether more people fit.",
    (
        Panel(
            "Headroom",
            "Share of the frame that is still free at p99, in the pool's worst pod.",
            "percentunit",
            (_of_pools("pool_headroom_ratio"),),
            steps=((0.2, "green"),),
            below="red",
        ),
        Panel(
            "Pods ready",
            "Mixer pods by state: more wanted than ready for long means no node for them.",
            "short",
            (_of_pools("pool_pods", f"{_WHO} {{{{state}}}}", by=f"{BY_POOL}, state"),),
        ),
        Panel(
            "Work of a tick p99, worst pods",
            f"Beside the frame (10, 20 or 40 ms); the {_TOP} worst pods.",
            "s",
            (Query(most(_TOP, worst(pick(recording.WORK_P99, POOLS), BY_POD)), "{{pod}}"),),
        ),
        Panel(
            "Ladder, worst pod",
            "What media has taken away to keep time: 0 nothing, 5 joins too.",
            "short",
            (Query(worst(pick("voiceroom_ladder_level", POOLS), BY_POOL), _WHO),),
            steps=((1, "yellow"), (4, "orange"), (5, "red")),
        ),
    ),
    ("VoiceroomHeadroomLow", "VoiceroomOverloaded"),
)

FLEET: Final = Board(
    "fleet",
    "Voiceroom: fleet",
    "Whether anybody is cut off, how fast the budget of late frames is used up, and headroom.",
    (NAMESPACE, POOL),
    (_NOW, _PROMISE, _ROOMS, _MOVES, _SPACE),
)
