"""What the real laboratory injects, and in which order: decided by the seed alone."""

from __future__ import annotations

from collections import Counter

import pytest

from voiceroom_driftlab.real import plan
from voiceroom_driftlab.real.noise import bursts
from voiceroom_driftlab.real.plan import NAMES, Injection, schedule

MS = 1_000_000


def test_every_kind_is_injected_as_often_as_asked_in_mixed_order() -> None:
    drawn = schedule(7, NAMES, 5)
    assert Counter(one.kind or plan.NOTHING for one in drawn) == dict.fromkeys(NAMES, 5)
    kinds = [one.kind for one in drawn]
    assert kinds != sorted(kinds, key=lambda kind: NAMES.index(kind or plan.NOTHING))


def test_the_seed_decides_everything() -> None:
    assert schedule(7, NAMES, 3) == schedule(7, NAMES, 3)
    assert schedule(7, NAMES, 3) != schedule(8, NAMES, 3)


def test_fewer_kinds_are_the_same_faults() -> None:
    few = [one for one in schedule(7, NAMES, 4) if one.kind in ("gc", "rate")]
    assert set(schedule(7, ("gc", "rate"), 4)) == set(few)


def test_without_root_nothing_is_drawn_that_needs_it() -> None:
    kinds = [kind for kind in NAMES if kind not in plan.ROOT_KINDS]
    methods = {one.method for one in schedule(7, kinds, 20, root=False)}
    assert "sigstop" in methods
    quotas = {"own-quota", "pod-quota", "ancestor-quota"}
    assert methods & (quotas | {"freezer", "fifo", "crowd"}) == set()


def test_only_a_rate_and_what_stops_no_tick_has_longer_than_five_of_them() -> None:
    for one in schedule(7, NAMES, 20):
        assert one.instant == (one.kind != "rate" and one.place != "control")
        assert one.kind != "rate" or one.lasts_ns > 12_000 * MS


@pytest.mark.parametrize("method", ["sigstop", "fifo", "hold"])
def test_a_stop_is_three_frames_of_those_that_the_ladder_has_now(method: plan.Method) -> None:
    weak = Injection("freeze", "weak", method, 61.0, 61 * MS)
    assert weak.at_least(20 * MS) == weak
    assert (weak.at_least(40 * MS).strength, weak.at_least(40 * MS).lasts_ns) == (120.0, 120 * MS)


def test_how_long_a_repeated_block_goes_on_does_not_change_with_its_length() -> None:
    weak = Injection("loop-block", "weak", "block", 61.0, 2_000 * MS)
    assert weak.at_least(40 * MS).lasts_ns == 2_000 * MS


def test_a_rate_is_no_matter_of_frames() -> None:
    slow = Injection("rate", "slow", "shim", 50.0, 13_000 * MS)
    assert slow.at_least(40 * MS) == slow


def test_the_neighbour_computes_for_as_long_as_the_run_is_quiet() -> None:
    drawn = list(bursts(7, 2.0))
    assert drawn == list(bursts(7, 2.0))
    assert sum(one.rest_ms + one.ms for one in drawn) == pytest.approx(120_000)
    assert any(one.ms >= 1_000 for one in drawn)
    assert any(60 <= one.ms <= 300 for one in drawn)
