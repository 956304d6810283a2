"""A mixer to which nobody listens takes its time, and is awake when somebody comes."""

from __future__ import annotations

from harness.listening import until, until_heard
from harness.party import Party


def _figures(party: Party) -> tuple[float, float]:
    """Seconds between two ticks, and of a frame."""
    metrics = party.mixer.metrics()
    return metrics["voiceroom_tick_interval_seconds"], metrics["voiceroom_frame_seconds"]


def test_ticks_are_seldom_until_somebody_joins_and_when_all_have_left(party: Party) -> None:
    until(lambda: _figures(party) == (0.04, 0.02), what="it is at rest")
    low, high = party.join(440.0, "low"), party.join(1_100.0, "high")
    until_heard(low, 1_100.0)
    until_heard(high, 440.0)
    assert _figures(party) == (0.02, 0.02)
    for leg in party.ids:
        party.mixer.call("DELETE", f"/rooms/{party.home}/legs/{leg}", party.token)
    until(lambda: _figures(party) == (0.04, 0.02), what="it is at rest again")
