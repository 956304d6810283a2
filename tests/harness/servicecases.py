"""The same for alerts about rooms, the operator and monitoring."""

from __future__ import annotations

from typing import Final

from harness.alertcases import (
    DURING,
    MIXER,
    NEVER,
    OPERATOR,
    POOL,
    SECOND,
    TARGET,
    TICKS,
    TIMING,
    Case,
    Round,
    Series,
    ticks,
)
from harness.defencecases import DEFENCES
from harness.signcases import SIGNS

_AT: Final = 'namespace="voiceroom",pod="operator-1"'


def _refills(legs: float, dry: Round) -> tuple[Series, ...]:
    return (
        Series("voiceroom_legs", TARGET, (legs,), (legs,)),
        Series("voiceroom_jb_refill_timeouts_total", TARGET, (0,), dry),
    )


def _of_operator(name: str, well: Round, ill: Round) -> tuple[Series, ...]:
    return (Series(f"voiceroom_operator_{name}", OPERATOR, well, ill),)


def _shown(name: str, labels: str, well: Round, ill: Round, leads: float = 1) -> tuple[Series, ...]:
    """A gauge about rooms and pools, by the operator that leads, or by one that stands by."""
    at = f'{labels},job="operator",instance="10.0.0.9:8080"'
    return (
        Series(f"voiceroom_operator_{name}", at, well, ill),
        Series("voiceroom_operator_leader", OPERATOR, (leads,), (leads,)),
    )


def _rooms(phase: str, ill: Round, leads: float = 1) -> tuple[Series, ...]:
    return _shown("rooms", f'namespace="ana",phase="{phase}"', (0,), ill, leads)


def _changed(how: str) -> tuple[Series, ...]:
    return (Series("voiceroom_rooms_changed_total", f'{TARGET},how="{how}"', (0,), (1,)),)


def _blocked(reason: str, ill: Round = (1,), leads: float = 1) -> tuple[Series, ...]:
    return _shown("remediation_blocked", f'{POOL},reason="{reason}"', (0,), ill, leads)


def _reconciles(ok: Round, failed: Round) -> tuple[Series, ...]:
    name = "voiceroom_operator_reconciles_total"
    return (
        Series(name, f'{OPERATOR},result="ok"', (10,), ok),
        Series(name, f'{OPERATOR},result="failed"', (0,), failed),
    )


def _waiting(depth: float, rounds: float) -> tuple[Series, ...]:
    return _of_operator("queue_depth", (0,), (depth,)) + _reconciles((rounds,), (0,))


def _delivered(result: str) -> tuple[Series, ...]:
    return (Series("voiceroom_operator_alerts_total", f'{OPERATOR},result="{result}"', (0,), (1,)),)


def _scraped(second: Round) -> tuple[Series, ...]:
    ready = _shown("pool_pods", f'{POOL},state="ready"', (2,), (2,))
    return (
        *ready,
        Series("voiceroom_ready", TARGET, (1,), (1,)),
        Series("voiceroom_ready", SECOND, (1,), second),
    )


def _losing(skipped: float) -> tuple[Series, ...]:
    """So many of the ticks between two scrapes."""
    return ticks((TICKS - skipped,), (skipped,), (0,))


_SLO: Final = (
    Case("VoiceroomFrameBudgetFast", POOL, _losing(30), (_losing(7),)),
    Case("VoiceroomFrameBudgetSlow", POOL, _losing(15), (_losing(3),)),
)
_ROOMS: Final = (
    Case(
        "VoiceroomJitterBufferRefillStorm",
        TARGET.partition(",job")[0],
        _refills(20, (150,)),
        (_refills(1, (5,)), _refills(100, (100,))),
    ),
    Case(
        "VoiceroomHeadroomLow",
        POOL,
        _shown("pool_headroom_ratio", POOL, (0.5,), (0.1,)),
        (_shown("pool_headroom_ratio", POOL, (0.5,), (0.25,)),),
    ),
    Case(
        "VoiceroomRoomsNotServed",
        'namespace="ana",phase="Pending"',
        _rooms("Pending", (2,)),
        (_rooms("Ready", (2,)), _rooms("Pending", (2, 2, 2, 0))),
    ),
    Case(
        "VoiceroomMoveFailed",
        'namespace="ana",phase="Moving"',
        _rooms("Moving", (1,)),
        (_rooms("Moving", (1, 1, 0, 0)), _rooms("Moving", (1,), leads=0)),
    ),
    Case(
        "VoiceroomRoomsTakenOver",
        TARGET.partition(",job")[0],
        _changed("taken"),
        (_changed("moved"), _changed("stopped")),
    ),
    Case(
        "VoiceroomStormStopped",
        POOL,
        _blocked("StormActive"),
        (_blocked("NoCandidateNode"), _blocked("StormActive", leads=0)),
    ),
    Case(
        "VoiceroomRemediationBlocked",
        f'{POOL},reason="BudgetExhausted"',
        _blocked("BudgetExhausted"),
        (_blocked("BudgetExhausted", (1, 1, 0)), _blocked("StormActive")),
    ),
)


def _process(name: str, well: Round, ill: Round) -> tuple[Series, ...]:
    """One figure of a mixer's processes; counters: what they grow by in 15 s."""
    return (Series(f"voiceroom_{name}", TARGET, well, ill),)


def _tasks(first: int, more: int) -> tuple[Series, ...]:
    """So many, and more at each scrape."""
    grown = tuple(float(first + more * scrape) for scrape in range(DURING))
    return _process("tasks", (grown[0] if not more else 100.0,), grown)


_PCM: Final = "pcm_bytes_allocated_total"
_PROCESS: Final = (
    Case("VoiceroomTasksGrow", MIXER, _tasks(5100, 10), (_tasks(6000, 0), _tasks(3000, 10))),
    Case(
        "VoiceroomPcmAllocation",
        MIXER,
        _process(_PCM, (0,), (1.6e10,)),
        (_process(_PCM, (0,), (1.4e10,)), _process(_PCM, (0,), (1.6e10, 0))),
    ),
    Case(
        "VoiceroomLockWait",
        MIXER,
        _process("lock_wait_seconds_total", (0,), (4,)),
        (_process("lock_wait_seconds_total", (0,), (2,)),),
    ),
)
_OPERATOR: Final = (
    Case(
        "VoiceroomOperatorNoLeader",
        "",
        _of_operator("leader", (1,), (0,)),
        (_of_operator("leader", (1,), (0, 0, 1)),),
    ),
    Case("VoiceroomOperatorNoLeader", "", _of_operator("leader", (1,), NEVER), ()),
    Case("VoiceroomOperatorStalled", _AT, _waiting(3, 0), (_waiting(3, 10), _waiting(0, 0))),
    Case(
        "VoiceroomOperatorLate",
        _AT,
        _of_operator("loop_lateness_seconds", (0.01,), (0.8,)),
        (_of_operator("loop_lateness_seconds", (0.01,), (0.3,)),),
    ),
    Case(
        "VoiceroomOperatorFailing",
        _AT,
        _reconciles((5,), (10,)),
        (_reconciles((10,), (5,)),),
    ),
    Case(
        "VoiceroomAlertsRefused",
        'result="unauthorized"',
        _delivered("unauthorized"),
        (_delivered("duplicate"), _delivered("standby")),
    ),
    Case(
        "VoiceroomMixersNotScraped",
        'namespace="ana"',
        _scraped(NEVER),
        (_scraped((1,)),),
    ),
)
ALWAYS: Final = "VoiceroomWatchdog"
"""The one alert that neither rests nor resolves."""
CASES: Final[tuple[Case, ...]] = (
    *TIMING,
    *DEFENCES,
    *SIGNS,
    *_SLO,
    *_ROOMS,
    *_OPERATOR,
    *_PROCESS,
)
