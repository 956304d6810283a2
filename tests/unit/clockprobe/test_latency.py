"""What pods waited: found, added up, and told to the mixer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.children import pod_words
from voiceroom_mixer.clockprobe.exposition import Distribution
from voiceroom_mixer.clockprobe.latency import choose, processes
from voiceroom_mixer.clockprobe.latency.processes import LOCAL, MediaProcess, parse
from voiceroom_mixer.clockprobe.latency.schedstat import SchedstatSource
from voiceroom_mixer.clockprobe.latency.waits import NONE_YET, Waits
from voiceroom_mixer.clockprobe.latency.watch import FORGET_NS, SEARCH_NS, TELL_NS, Watch

POD = ("rooms", "pool-0")
LONG = Waits((*NONE_YET[:4], 1, *NONE_YET[5:]), 700_000, 1)
SHORT = Waits((1, *NONE_YET[1:]), 20_000, 0)


@dataclass
class FakeSource:
    """Says what the test has set."""

    name: str = "ebpf"
    period_ns: int = 100_000_000
    waits: dict[int, Waits] = field(default_factory=dict)
    followed: tuple[int, ...] = ()

    def follow(self, threads: Collection[int]) -> None:
        self.followed = tuple(threads)

    def read(self) -> dict[int, Waits]:
        return {pid: self.waits[pid] for pid in self.followed if pid in self.waits}


class Node:
    """A node's processes, and who was told."""

    def __init__(self, *found: MediaProcess) -> None:
        self.source = FakeSource()
        self.found = list(found)
        self.told: list[int] = []
        self.tells = True
        self.watch = Watch(self.source, "", lambda: self.found, self._tell)

    def _tell(self, process: MediaProcess) -> bool:
        if self.tells:
            self.told.append(process.pid)
        return self.tells

    def latency(self, pod: tuple[str, str] = POD) -> Distribution:
        (_, series), _, _ = self.watch.exposed()
        found = series[*pod, self.source.name]
        assert isinstance(found, Distribution)
        return found

    def signals(self, pod: tuple[str, str] = POD) -> float | Distribution:
        _, (_, series), _ = self.watch.exposed()
        return series[pod]


def test_waits_of_all_processes_of_a_pod_add_up() -> None:
    node = Node(MediaProcess(10, POD), MediaProcess(11, POD), MediaProcess(12, ("a", "b")))
    node.source.waits = {10: SHORT, 11: LONG, 12: SHORT}
    node.watch.look(0)
    assert sum(node.latency().buckets) == 2
    assert node.latency().sum == pytest.approx(0.00072)
    assert sum(node.latency(("a", "b")).buckets) == 1


def test_a_process_that_starts_anew_never_takes_a_count_back() -> None:
    node = Node(MediaProcess(10, POD))
    node.source.waits = {10: LONG.plus(LONG)}
    node.watch.look(0)
    node.found = [MediaProcess(20, POD)]
    node.source.waits = {20: SHORT}
    node.watch.look(SEARCH_NS)
    node.watch.look(SEARCH_NS + 1)
    assert sum(node.latency().buckets) == 3


def test_a_long_wait_is_told_at_once_and_once_a_second_at_most() -> None:
    node = Node(MediaProcess(10, POD))
    node.source.waits = {10: SHORT}
    node.watch.look(0)
    assert node.told == []
    waits = SHORT
    for now_ns in (1, 2, TELL_NS // 2, TELL_NS, TELL_NS + 1):
        waits = waits.plus(LONG)
        node.source.waits = {10: waits}
        node.watch.look(now_ns)
    assert node.told == [10, 10]
    assert node.signals() == 2


def test_who_cannot_be_told_is_not_counted() -> None:
    node = Node(MediaProcess(10, POD))
    node.tells = False
    node.source.waits = {10: LONG}
    node.watch.look(0)
    assert node.signals() == 0


def test_a_pod_that_has_gone_takes_its_series_with_it() -> None:
    node = Node(MediaProcess(10, POD))
    node.source.waits = {10: SHORT}
    node.watch.look(0)
    node.found = []
    node.watch.look(SEARCH_NS)
    assert sum(node.latency().buckets) == 1
    node.watch.look(SEARCH_NS + FORGET_NS)
    (_, latency), (_, signals), (_, info) = node.watch.exposed()
    assert (latency, signals) == ({}, {})
    assert info == {("ebpf", ""): 1}


def test_a_media_process_is_known_by_its_command_line() -> None:
    words = pod_words({"POD_NAMESPACE": "rooms", "POD_NAME": "pool-0"})
    command = "\0".join(["/opt/bin/voiceroom-media", "-P", *words, "-m", "m", "0", ""]).encode()
    assert parse(10, command) == MediaProcess(10, POD)
    assert parse(10, command.replace(b"-media", b"-spare")) is None
    assert parse(10, b"") is None
    assert pod_words({"POD_NAME": "pool-0"}) == ()
    assert parse(10, b"/opt/bin/voiceroom-media\0-P\0-m\0m\0000\0") == MediaProcess(10, LOCAL)


def test_python_passes_over_the_option() -> None:
    words = pod_words({"POD_NAMESPACE": "rooms", "POD_NAME": "pool-0"})
    command = [sys.executable, *words, "-c", "print(1)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_processes_are_found_in_proc(tmp_path: Path) -> None:
    for pid, command in (("7", b"/x/voiceroom-media\0"), ("8", b"/x/sh\0"), ("self", b"")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_bytes(command)
    (tmp_path / "9").mkdir()  # it has ended
    assert processes.find(tmp_path) == [MediaProcess(7, LOCAL)]


def media(code: str) -> subprocess.Popen[str]:
    """A process that calls itself a media process; it says when it is there."""
    return subprocess.Popen(
        ["/opt/bin/voiceroom-media", "-c", code],
        executable=sys.executable,
        env={**os.environ, "PYTHONHOME": sys.base_prefix},
        stdout=subprocess.PIPE,
        text=True,
    )


CATCHES = """
import signal
signal.signal(signal.SIGUSR1, lambda *_: print("told", flush=True))
print("there", flush=True)
while True: signal.pause()
"""
DOES_NOT = "import signal; print('there', flush=True); signal.pause()"


def test_who_handles_the_signal_gets_it() -> None:
    with media(CATCHES) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert processes.tell(MediaProcess(process.pid, LOCAL))
        assert process.stdout.readline() == "told\n"
        assert not processes.tell(MediaProcess(process.pid, POD)), "it is another pod's by now"
        process.kill()


def test_who_would_die_of_the_signal_is_left_alone() -> None:
    with media(DOES_NOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert not processes.tell(MediaProcess(process.pid, LOCAL))
        assert process.poll() is None
        process.kill()
        process.wait()
        assert not processes.tell(MediaProcess(process.pid, LOCAL))


def test_caught_signals_are_read_from_the_mask() -> None:
    assert processes.catches("Name:\tx\nSigCgt:\t0000000000000200\n", signal.SIGUSR1)
    assert not processes.catches("SigCgt:\t0000000000000800\n", signal.SIGUSR1)
    assert not processes.catches("", signal.SIGUSR1)


def schedstat(root: Path, pid: int, delay_ns: int, slices: int) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schedstat").write_text(f"123456 {delay_ns} {slices}\n")


def test_schedstat_counts_the_wait_within_a_look(tmp_path: Path) -> None:
    schedstat(tmp_path, 7, 5_000_000, 10)
    source = SchedstatSource(tmp_path)
    source.follow([7])
    for delay_ns, slices in ((5_060_000, 11), (5_060_000, 11), (5_860_000, 14)):
        schedstat(tmp_path, 7, delay_ns, slices)
        waits = source.read()[7]
    assert waits == Waits((0, 1, 0, 0, 0, 1, *NONE_YET[6:]), 860_000, 1)


def test_schedstat_of_a_process_that_ends_stays_as_it_was(tmp_path: Path) -> None:
    schedstat(tmp_path, 7, 5_000_000, 10)
    source = SchedstatSource(tmp_path)
    source.follow([7])
    (tmp_path / "proc/7/schedstat").write_text("")
    assert source.read()[7] == Waits()
    source.follow([8])  # never there
    assert source.read() == {8: Waits()}


def test_the_source_that_is_asked_for() -> None:
    source, reason = choose.source("schedstat")
    assert (source.name, reason) == ("schedstat", "asked for")
    source, reason = choose.source("auto")
    assert (source.name == "ebpf") == (reason == "")
    assert NS_PER_S % source.period_ns == 0
