"""What the clock probe beside the mixer has seen, as the pod's metrics tell it."""

from __future__ import annotations

import os

from fakes.door import SMALL
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.clockprobe.beside import BEFORE_TICK_NS, INTERVAL_NS, ask_of, grid_ns
from voiceroom_mixer.clockprobe.crew import Ask
from voiceroom_mixer.config import RealtimeAsk
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.export.timers import refresh_timers, timer_infos
from voiceroom_mixer.edge import probepage, shm
from voiceroom_mixer.edge.cgroup import CpuBudget
from voiceroom_mixer.edge.realtime import Granted

DRIFT = "node_timer_drift_delta_seconds"


def test_a_probe_that_has_not_begun_has_no_series() -> None:
    page, numbers = probepage.anonymous(), Numbers()
    refresh_timers(page, numbers, NS_PER_S)
    assert numbers.values(DRIFT) == {}
    assert timer_infos(page, NS_PER_S) == {}


def test_drift_and_waiting_by_cpu_and_one_histogram() -> None:
    page, numbers = probepage.anonymous(), Numbers()
    page.row(0).observe(NS_PER_S, 6 * NS_PER_MS, 5 * NS_PER_MS)
    page.row(1).observe(NS_PER_S, 40_000, 0)
    for _ in range(2):
        refresh_timers(page, numbers, NS_PER_S)
    assert numbers.values(DRIFT) == {("0",): 0.006, ("1",): 0.00004}
    assert numbers.values("voiceroom_timer_drift_waiting_max_seconds")["0",] == 0.005
    histogram = numbers.histograms("voiceroom_timer_drift_seconds")[()]
    assert (sum(histogram.buckets), round(histogram.sum, 6)) == (2, 0.00604)


def test_a_cpu_that_was_taken_away_goes_from_the_gauges() -> None:
    page, numbers = probepage.anonymous(), Numbers()
    page.row(0).observe(NS_PER_S, 40_000, 0)
    refresh_timers(page, numbers, NS_PER_S)
    refresh_timers(page, numbers, 62 * NS_PER_S)
    assert numbers.values(DRIFT) == {}


def test_restarts_and_what_was_granted() -> None:
    page, numbers = probepage.anonymous(), Numbers()
    for _ in range(3):
        page.started()
    page.tell(Granted("fifo", 9, 1, True, (0,), CpuBudget(), ()))
    refresh_timers(page, numbers, NS_PER_S)
    assert numbers.values("voiceroom_process_restarts_total")["clock-probe",] == 2
    (labels,) = timer_infos(page, NS_PER_S)["voiceroom_clock_probe_info"]
    assert labels == {"policy": "fifo", "priority": "9", "visits": "in-turn", "reason": ""}


def test_it_is_never_before_media_and_asks_for_fifo_where_media_does() -> None:
    assert ask_of(None) == Ask(INTERVAL_NS, parallel=False, fifo=True, priority=9)
    assert ask_of(RealtimeAsk("Fifo", priority=40)).priority == 39
    assert ask_of(RealtimeAsk("Fifo", priority=1)).priority == 1
    assert not ask_of(RealtimeAsk("Quota")).fifo


def test_visits_are_due_just_before_a_tick() -> None:
    fd = os.memfd_create("segment")
    segment = shm.attach(fd, SMALL)
    segment.set_word("grid_origin_ns", 123 * NS_PER_S + 456)
    assert grid_ns(fd) == 123 * NS_PER_S + 456 - BEFORE_TICK_NS
    os.close(fd)
    assert INTERVAL_NS % (20 * NS_PER_MS) == 0
