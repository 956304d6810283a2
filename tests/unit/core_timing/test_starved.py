"""When a node is blamed: for whole frames lost, and not for a neighbour's slices."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from voiceroom_driftlab.faults import Account, Fault, Stop
from voiceroom_driftlab.world import FRAME_NS, START_NS, World

MS = 1_000_000
S = 1_000 * MS
BEGIN_NS = START_NS + 2 * S + 10 * MS
"""A deadline of the world's ticks."""


def named(waits_ms: Sequence[float], every_frames: int = 1, account: Account = "queue") -> set[str]:
    """Verdicts when so many ticks, one in ``every_frames``, have to wait at their deadline."""
    stops = []
    for number, wait_ms in enumerate(waits_ms):
        begin_ns = BEGIN_NS + number * every_frames * FRAME_NS - MS
        stops.append(Stop(begin_ns, begin_ns + int((wait_ms + 1) * MS), account))
    fault = Fault(None, "waits", START_NS + S, stops[-1].end_ns, 0.0, stops=tuple(stops))
    world = World((4, 2), [fault])
    world.run_until(stops[-1].end_ns + S)
    return {one.kind for one in world.said if one.kind}


def test_a_neighbour_whose_slices_are_waited_for_in_every_tick_is_no_fault() -> None:
    assert named([8.0] * 100) == set()


def test_waits_of_half_a_frame_are_no_fault_however_often() -> None:
    assert named([14.0] * 30, every_frames=6) == set()


@pytest.mark.parametrize("account", ["queue", "ancestor", "hidden", "steal"])
def test_two_frames_lost_at_once_are(account: Account) -> None:
    assert named([55.0], account=account) == {"starved"}


def test_a_frame_lost_again_and_again_is() -> None:
    assert named([26.0] * 6, every_frames=8) == {"starved"}


def test_what_the_own_quota_takes_is_told_earlier() -> None:
    assert named([14.0] * 30, every_frames=6, account="own") == {"throttle"}


def test_a_long_tick_is_not_the_nodes_for_what_it_computed_itself() -> None:
    busy = Fault(None, "busy", START_NS + S, START_NS + 3 * S, 0.0, work_frames=0.45)
    stops = tuple(Stop(at, at + 13 * MS, "queue") for at in (BEGIN_NS + 3 * MS, BEGIN_NS + 23 * MS))
    waits = Fault(None, "waits", START_NS + S, START_NS + 3 * S, 0.0, stops=stops)
    world = World((4, 2), [busy, waits])
    world.run_until(START_NS + 4 * S)
    assert [one for one in world.said if one.kind] == []
