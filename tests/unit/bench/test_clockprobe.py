"""Two distributions beside each other."""

from __future__ import annotations

from bench.cases import clockprobe
from bench.peers.cyclictest import Policy

from voiceroom_mixer.core.state.probepage import EDGES_US


def test_counts_fall_into_the_probes_own_buckets() -> None:
    counts = clockprobe.spread({0: 1, 50: 2, 51: 4, 100_000: 8, 100_001: 16})
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (3, 4, 8, 16)
    assert len(counts) == len(EDGES_US) + 1
    assert sum(counts) == 31


def test_both_are_printed_in_percent() -> None:
    lines = clockprobe.table({40: 3, 60: 1}, {40: 1, 200_000: 1})
    assert lines[0].split() == ["clock-probe", "cyclictest"]
    assert lines[1].split() == ["<=", "50", "us", "75.00%", "50.00%"]
    assert lines[-1].split() == ["more", "0.00%", "50.00%"]


def test_cyclictest_gets_what_the_probe_was_granted() -> None:
    assert clockprobe.policy_of('{"policy": "fifo", "priority": 80}') == Policy("fifo", 80)
    assert clockprobe.policy_of('{"policy": "nice", "priority": -11}') == Policy("other", 0, -11)
    assert clockprobe.policy_of('{"policy": "plain", "priority": 5}') == Policy("other", 0, 5)
