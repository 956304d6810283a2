"""A wait for the CPU while the own quota is used up is the quota's, wherever it is booked."""

from __future__ import annotations

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.timing.detect.matrix import SPENT
from voiceroom_mixer.core.timing.detect.observations import Accounts, NodeAccounts, Tick
from voiceroom_mixer.core.timing.detect.spending import Spending
from voiceroom_mixer.core.timing.detect.stalls import (
    Growth,
    NodeGrowth,
    Stall,
    TickWatch,
    attribute,
)

PERIOD_NS = 100 * NS_PER_MS
QUOTA_NS = 20 * NS_PER_MS
FRAME_NS = 20 * NS_PER_MS


def node(at_ms: float, used_ms: float, quota_ns: int = QUOTA_NS, above_ns: int = 0) -> NodeAccounts:
    """A reading."""
    at_ns, used_ns = int(at_ms * NS_PER_MS), int(used_ms * NS_PER_MS)
    return NodeAccounts(at_ns, above_ns, (), 0, "tsc", used_ns, quota_ns, PERIOD_NS)


def shares(*readings: NodeAccounts) -> list[float]:
    """Of its quota, at each reading."""
    spending = Spending()
    return [spending.take(one) for one in readings]


def test_all_of_it_is_used_whenever_in_its_periods() -> None:
    # just after it was used in a period, and just before it is in another one: 399 ms, 3 times
    assert shares(node(0, 0), node(1020, 220), node(1419, 280))[-1] == pytest.approx(1.0)


def test_half_of_it_is_half() -> None:
    assert shares(node(0, 0), node(1000, 100), node(2000, 200))[-1] == pytest.approx(0.5)


def test_a_node_that_gives_nothing_for_a_second_leaves_it_unused() -> None:
    assert shares(node(0, 0), node(1000, 200), node(2000, 205))[-1] < 0.1


def test_a_quota_that_is_set_meanwhile_is_compared_with_what_was_used_before() -> None:
    free = [node(1000 * second, 100 * second, quota_ns=0) for second in range(3)]
    assert shares(*free, node(2100, 220))[-1] == pytest.approx(0.55, abs=0.01)
    assert shares(*free, node(2100, 300))[-1] > 0.9


def test_readings_close_to_each_other_look_back_over_three_periods() -> None:
    close = [node(1000 + 20 * number, 200 + 4 * number) for number in range(40)]
    assert min(shares(node(0, 0), *close)[1:]) >= 1.0


def test_without_a_quota_there_is_no_share() -> None:
    assert shares(*(node(1000 * s, 900 * s, quota_ns=0) for s in range(3)))[-1] == 0.0


def test_a_counter_that_begins_anew_says_nothing() -> None:
    assert shares(node(0, 5000), node(1000, 5200), node(2000, 10))[-1] == 0.0


def waited(spent: float, throttled_ms: int = 0, above_ms: int = 0) -> str:
    """The cause of a stall of 80 ms that was waited for a CPU."""
    growth = Growth(0, 0, 80 * NS_PER_MS, 1, throttled_ms * NS_PER_MS, 0)
    growth = growth._replace(ancestors_ns=above_ms * NS_PER_MS, spent=spent)
    found = attribute(Stall(80 * NS_PER_MS, 0), growth)
    return max(found, key=lambda kind: found[kind])


def test_what_the_pods_cgroup_takes_of_a_quota_that_is_used_up_is_a_throttle() -> None:
    assert waited(0.98) == "throttle"
    assert waited(0.98, throttled_ms=10) == "throttle"
    assert waited(0.98, above_ms=80) == "throttle", "where it is seen, it is the same quota's"


def test_with_some_of_the_quota_left_the_node_is_to_blame() -> None:
    assert waited(0.6) == waited(0.6, above_ms=80) == "starved"


def test_steal_is_nobodys_quota() -> None:
    books = Accounts(0, 0, 0, 0, 0, 0)
    growth = Growth.between(books, books, NodeGrowth(0, 80 * NS_PER_MS, 1.0))
    found = attribute(Stall(80 * NS_PER_MS, 0), growth)
    assert found["starved"] == 80 * NS_PER_MS


def claims(used_ms_a_period: float) -> list[str]:
    """A mixer that runs for 20 ms and waits for 80, again and again, with no word of its own
    cgroup: 15 periods."""
    watch = TickWatch()
    found: list[str] = []
    for period in range(15):
        begin_ns = NS_PER_S + period * PERIOD_NS
        accounts = Accounts(0, 0, period * 80 * NS_PER_MS, period, 0, 0)
        look_ns = begin_ns + NS_PER_MS
        tick = Tick(
            begin_ns - 80 * NS_PER_MS, begin_ns - 81 * NS_PER_MS, begin_ns, NS_PER_MS, FRAME_NS,
            look_ns, accounts, node(look_ns / NS_PER_MS, period * used_ms_a_period),
        )  # fmt: skip
        claim = watch.take(tick)
        if claim is not None:
            found.append(claim.kind)
            named = {one.name: one.value for one in claim.evidence}
            assert (named.get("quota used", 0.0) >= SPENT) == (claim.kind == "throttle")
    return found


def test_it_is_named_once_three_periods_have_shown_it() -> None:
    found = claims(20.0)
    assert found[-8:] == ["throttle"] * 8
    assert set(found[:-8]) <= {"starved", "throttle"}


def test_a_pod_that_gets_less_than_its_quota_is_starved() -> None:
    assert set(claims(10.0)) == {"starved"}
