"""What media's watch counts for those outside: waits for a CPU, quota, steal, clock source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from fakes.mansion import Mansion
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.timing.detect.observations import Accounts, ClockRound, NodeAccounts
from voiceroom_mixer.core.timing.histogram import histograms
from voiceroom_mixer.media.watch import Watch

FRAME_NS = 20 * NS_PER_MS


@dataclass
class Books:
    """The kernel's, as a test writes them; the watch reads it as its accounts and its node."""

    run_delay_ns: int = 5 * NS_PER_S
    throttled_ns: int = 0
    steal_ns: tuple[int, ...] = (0, 0)
    clocksource: str = "tsc"
    ancestors: tuple[Any, ...] = field(default=())

    def read(self, now_ns: int | None = None) -> Any:
        if now_ns is None:
            return Accounts(0, 0, self.run_delay_ns, 0, self.throttled_ns, 0)
        return NodeAccounts(now_ns, 0, self.steal_ns, 0, self.clocksource)


class Looks:
    """A watch whose ticks are a frame apart."""

    def __init__(self, mansion: Mansion) -> None:
        self.mansion, self.books = mansion, Books()
        self.run_delay = histograms(mansion.segment.counters)["run_delay"]
        books: Any = self.books
        self.watch = Watch(
            mansion.segment,
            mansion.board,
            [],
            [],
            self.run_delay,
            accounts=books,
            node=books,
            clocks=lambda: ClockRound(mansion.now_ns, 100, 0, 0, (0, 0, 0)),
            monotonic=lambda: mansion.now_ns,
        )

    def pass_time(self, ns: int = FRAME_NS) -> None:
        self.mansion.now_ns += ns
        self.watch.look(self.mansion.now_ns - FRAME_NS, FRAME_NS)


@pytest.fixture
def looks(mansion: Mansion) -> Looks:
    made = Looks(mansion)
    made.pass_time()
    return made


def test_waits_for_a_cpu_are_counted_from_tick_to_tick(looks: Looks) -> None:
    assert looks.run_delay.count == 0, "what was before the first look is nobody's tick"
    for waited_ns in (0, 3 * NS_PER_MS):
        looks.books.run_delay_ns += waited_ns
        looks.pass_time()
    assert (looks.run_delay.count, looks.run_delay.sum_ns) == (2, 3 * NS_PER_MS)


def test_a_kernel_without_schedstat_is_no_wait_at_all(looks: Looks) -> None:
    looks.books.run_delay_ns = 0
    looks.pass_time()
    looks.pass_time()
    assert looks.run_delay.sum_ns == 0


def test_quota_and_mean_steal_stand_as_the_kernel_has_them(looks: Looks, mansion: Mansion) -> None:
    looks.books.throttled_ns, looks.books.steal_ns = 40 * NS_PER_MS, (10, 30)
    looks.pass_time(2 * NS_PER_S)
    assert mansion.counted("throttled_ns") == 40 * NS_PER_MS
    assert mansion.counted("steal_ns") == 20


def test_a_switch_of_the_clock_source_is_counted_and_its_first_name_is_not(
    looks: Looks, mansion: Mansion
) -> None:
    looks.pass_time(2 * NS_PER_S)
    assert mansion.counted("clocksource_changes") == 0
    looks.books.clocksource = "hpet"
    looks.pass_time(2 * NS_PER_S)
    looks.pass_time()
    assert mansion.counted("clocksource_changes") == 1
