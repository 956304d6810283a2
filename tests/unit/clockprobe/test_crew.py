"""Who visits which CPU when all are visited at once."""

from __future__ import annotations

from itertools import count

from voiceroom_mixer.clockprobe import cli
from voiceroom_mixer.clockprobe.crew import Ask, Members
from voiceroom_mixer.core.state.probepage import CPUS


class Members_(Members):
    """With pids that count up."""

    def __init__(self) -> None:
        pids = count(100)
        self.stopped: list[int] = []
        super().__init__(lambda _: next(pids), self.stopped.append)


def test_one_on_each_cpu_also_when_cpus_come_and_go() -> None:
    members = Members_()
    members.follow([0, 1, 2])
    assert members.pids == {0: 100, 1: 101, 2: 102}
    members.follow([0, 2, 7])
    assert members.stopped == [101]
    assert members.pids == {0: 100, 2: 102, 7: 103}


def test_who_died_is_replaced_at_the_next_look() -> None:
    members = Members_()
    members.follow([0, 1])
    members.died(100)
    members.follow([0, 1])
    assert members.pids == {0: 102, 1: 101}
    assert members.stopped == []


def test_a_cpu_without_a_row_has_nobody() -> None:
    members = Members_()
    members.follow([CPUS])
    assert members.pids == {}


def test_the_command_line_says_how() -> None:
    assert cli.ask(cli.parse([])) == Ask(20_000_000, parallel=False, fifo=True, priority=9)
    words = ["--parallel", "--no-fifo", "--interval-ms=10", "--priority=50"]
    assert cli.ask(cli.parse(words)) == Ask(10_000_000, parallel=True, fifo=False, priority=50)
