"""The same for alerts about what comes before trouble."""

from __future__ import annotations

from typing import Final

from harness.alertcases import MIXER, TARGET, Case, Round, Series


def _one(name: str, well: Round, ill: Round) -> tuple[Series, ...]:
    return (Series(f"voiceroom_{name}", TARGET, well, ill),)


def _round_trips(quick: float, slow: float) -> tuple[Series, ...]:
    """So many checks between two scrapes take up to 50 ms, and up to 500."""
    edges = ("0.05", "0.1", "0.5", "+Inf")
    counts = (quick, quick, quick + slow, quick + slow)
    return tuple(
        Series("voiceroom_stun_rtt_seconds_bucket", f'{TARGET},le="{edge}"', (60,), (count,))
        for edge, count in zip(edges, counts, strict=True)
    )


_NOW_AND_THEN: Final[Round] = (1.0, *(0.0,) * 9)

SIGNS: Final = (
    Case(
        "VoiceroomReconnectStorm",
        MIXER,
        _one("reconnect_storms_total", (0,), _NOW_AND_THEN),
        (_one("reconnect_storms_total", (0,), (0,)),),
        within_s=30,
    ),
    Case(
        "VoiceroomRoundTripLong",
        MIXER,
        _round_trips(20, 40),
        (_round_trips(40, 20), _round_trips(0, 0)),
    ),
    Case(
        "VoiceroomClockSourceSwitched",
        MIXER,
        _one("clocksource_changes_total", (0,), _NOW_AND_THEN),
        (_one("clocksource_changes_total", (0,), (0,)),),
        within_s=30,
    ),
    Case(
        "VoiceroomStolen",
        MIXER,
        _one("steal_seconds_total", (0.1,), (3,)),
        (
            _one("steal_seconds_total", (0.1,), (1,)),
            _one("steal_seconds_total", (0.1,), (6, 0, 0, 0, 0, 0, 0, 0)),
        ),
    ),
)
