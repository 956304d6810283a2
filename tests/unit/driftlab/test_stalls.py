"""Pauses inferred from a trace of late ticks, against pauses that are known."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.experiments.stalls import Inference, Pause, infer, score, seen_share
from voiceroom_driftlab.experiments.watched import Watched

PERIOD_NS = 2 * NS_PER_MS
LIMIT_NS = 300_000


def paused(pauses: list[Pause], ticks: int = 2_100, wake_ns: int = 50_000) -> Watched:
    """Ticks that a pause holds up until its end."""
    due = np.arange(1, ticks + 1) * PERIOD_NS
    late = np.full(ticks, wake_ns)
    for pause in pauses:
        held = (due >= pause.begin_ns) & (due < pause.end_ns)
        late[held] = pause.end_ns - due[held] + wake_ns
    return Watched(due, late, np.zeros(ticks, np.int64))


def random_pauses(length_ns: int, count: int = 200) -> list[Pause]:
    begins = np.arange(1, count + 1) * 10 * PERIOD_NS
    shifts = np.random.default_rng(3).integers(0, PERIOD_NS, count)
    return [Pause(int(b), int(b) + length_ns) for b in (begins + shifts).tolist()]


def scored(watched: Watched, pauses: list[Pause]) -> Inference:
    found = infer(watched.due_ns, watched.late_ns, watched.own_late_ns, LIMIT_NS)
    return score(found, pauses, watched.due_ns, PERIOD_NS, LIMIT_NS)


def test_long_pauses_are_all_found_and_their_ends_are_right() -> None:
    pauses = random_pauses(5 * NS_PER_MS)
    found = scored(paused(pauses), pauses)
    assert (found.precision, found.recall, found.inferred) == (1, 1, len(pauses))
    assert found.end_error_us == pytest.approx(50)


def test_short_pauses_are_found_as_often_as_a_deadline_falls_into_them() -> None:
    pauses = random_pauses(NS_PER_MS)
    found = scored(paused(pauses), pauses)
    assert found.expected_recall == pytest.approx(0.35)
    assert found.recall == pytest.approx(found.expected_recall, abs=0.08)
    assert found.recall_detectable == 1


def test_a_late_tick_without_a_pause_costs_precision() -> None:
    pauses = random_pauses(5 * NS_PER_MS, count=10)
    watched = paused(pauses)
    watched.late_ns[-30:-25:2] = NS_PER_MS
    assert scored(watched, pauses).precision == pytest.approx(10 / 13)


def test_a_wait_for_a_cpu_is_not_taken_for_a_pause() -> None:
    watched = paused([])
    watched.late_ns[500] = 9 * NS_PER_MS
    watched.queued_ns[500] = 9 * NS_PER_MS
    assert scored(watched, []).inferred == 0


@pytest.mark.parametrize(("length_ms", "share"), [(0.2, 0.0), (1.3, 0.5), (2.3, 1.0), (9.0, 1.0)])
def test_the_share_that_can_be_seen(length_ms: float, share: float) -> None:
    assert seen_share(length_ms * 1e6, PERIOD_NS, LIMIT_NS) == pytest.approx(share)
