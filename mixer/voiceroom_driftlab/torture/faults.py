"""What is done to a mixer while a tone goes through it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.torture import skew
from voiceroom_driftlab.torture.skew import Skew
from voiceroom_driftlab.torture.subjects import Log, Subject, SubjectError, command_name
from voiceroom_mixer.edge import clock

STEP_NS: Final = 50 * NS_PER_MS
WALL_STEP_NS: Final = 3_600 * NS_PER_S
PPM: Final = 500.0
QUOTA_US: Final = 5_000
PERIOD_US: Final = 100_000
FREEZE_NS: Final = 200 * NS_PER_MS
THEFT_MS: Final = (8, 20)
"""Of each so many."""
PEOPLE: Final = 100
"""What they make it write is several times what the smallest pipe holds."""
_V1: Final = Path("/sys/fs/cgroup/cpu")
_V2: Final = Path("/sys/fs/cgroup")
_TRIES: Final = 40
"""To remove a cgroup: whoever was in it may not be quite out yet."""


class NotInjectable(RuntimeError):
    """This machine does not let this fault happen; the message says why."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a fault may touch."""

    subject: Subject
    log: Log
    skew: Skew
    notes: list[str] = field(default_factory=list)
    """What is to be said of it beside the sound."""


@contextlib.contextmanager
def nothing(_bench: Bench) -> Iterator[None]:
    """The control."""
    yield


@contextlib.contextmanager
def clock_step(bench: Bench) -> Iterator[None]:
    """MONOTONIC is 50 ms ahead."""
    bench.skew.set(skew.MONOTONIC, STEP_NS)
    try:
        yield
    finally:
        bench.skew.end()


@contextlib.contextmanager
def wall_step(bench: Bench) -> Iterator[None]:
    """REALTIME is an hour ahead."""
    bench.skew.set(skew.WALL, WALL_STEP_NS)
    try:
        yield
    finally:
        bench.skew.end()


@contextlib.contextmanager
def clock_rate(bench: Bench) -> Iterator[None]:
    """All clocks run 500 ppm fast."""
    bench.skew.set(skew.ALL, ppm=PPM)
    try:
        yield
    finally:
        bench.skew.end()


@contextlib.contextmanager
def throttle(bench: Bench) -> Iterator[None]:
    """A quota of 5 ms in each 100, and no real-time priority, as in a pod of mode Quota."""
    with _cgroup() as folder:
        for task in _tasks(bench.subject):  # no quota holds a real-time thread
            with contextlib.suppress(OSError):
                os.sched_setscheduler(task, os.SCHED_OTHER, os.sched_param(0))
        _move(bench.subject.pids(), folder)
        yield


@contextlib.contextmanager
def _cgroup() -> Iterator[Path]:
    """A CPU cgroup with the quota, of version 1 or 2."""
    first = (_V1 / "cpu.cfs_quota_us").exists() or (_V1 / "cgroup.procs").exists()
    folder = (_V1 if first else _V2) / f"voiceroom-driftlab-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        raise NotInjectable(f"no cgroup of our own: {error}") from error
    try:
        if first:
            _write(folder / "cpu.cfs_period_us", PERIOD_US)
            _write(folder / "cpu.cfs_quota_us", QUOTA_US)
        else:
            _write(folder / "cpu.max", f"{QUOTA_US} {PERIOD_US}")
        yield folder
    except OSError as error:
        raise NotInjectable(f"no CPU quota: {error}") from error
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Whoever is in it goes first, and whom he has forked meanwhile. Raises ``OSError``."""
    for _ in range(_TRIES):
        _move((folder / "cgroup.procs").read_text().split(), folder.parent)
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        clock.sleep_until(clock.monotonic_ns() + 50 * NS_PER_MS)
    folder.rmdir()


def _move(pids: Iterable[int | str], folder: Path) -> None:
    """Who is gone already does not matter. Raises ``OSError``."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            _write(folder / "cgroup.procs", pid)


def _write(path: Path, value: object) -> None:
    path.write_text(f"{value}\n")


@contextlib.contextmanager
def steal(bench: Bench) -> Iterator[None]:
    """A real-time thief takes 8 ms of each 20 of the one CPU that the mixer is held to."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise NotInjectable("with one CPU a thief would steal from the listener, too")
    command = [sys.executable, "-m", "voiceroom_driftlab.torture.thief"]
    command += [str(cpus[0]), *map(str, THEFT_MS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as thief:
        try:
            assert thief.stdout
            if not thief.stdout.readline():
                raise NotInjectable("SCHED_FIFO is not allowed here")
            _hold_to(bench.subject, cpus[0])
            yield
        finally:
            thief.kill()


def _hold_to(subject: Subject, cpu: int) -> None:
    """All its threads; the affinity they had is lost, but they end with the run."""
    for task in _tasks(subject):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(task, {cpu})


def _tasks(subject: Subject) -> list[int]:
    """All of its threads."""
    found = []
    for pid in subject.pids():
        with contextlib.suppress(OSError):
            found += [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    return found


@contextlib.contextmanager
def freeze(bench: Bench) -> Iterator[None]:
    """SIGSTOP for 200 ms, all of its processes at once."""
    pids = bench.subject.pids()
    _signal(pids, signal.SIGSTOP)
    try:
        clock.sleep_until(clock.monotonic_ns() + FREEZE_NS)
    finally:
        _signal(pids, signal.SIGCONT)
    yield


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def slow_disk(bench: Bench) -> Iterator[None]:
    """Nobody takes its log, while people come and go. Where it answers nobody for lack of it, those
    who come wait until it does."""
    served: list[int] = []
    people = threading.Thread(target=_come_and_go, args=(bench.subject, served), name="people")
    with bench.log.stuck():
        people.start()
        yield
        bench.notes.append(f"{len(served)} of {PEOPLE} were served meanwhile")
    people.join()


def _come_and_go(subject: Subject, served: list[int]) -> None:
    for number in range(PEOPLE):
        with contextlib.suppress(OSError, SubjectError):
            subject.churn()
            served.append(number)


@contextlib.contextmanager
def fork(bench: Bench) -> Iterator[None]:
    """A spare process is killed, so that another is forked under the call."""
    spares = [pid for pid in bench.subject.pids() if command_name(pid) == "voiceroom-spare"]
    if not spares:
        raise NotInjectable("it forks nothing that could be asked for")
    os.kill(spares[0], signal.SIGKILL)
    yield


Inject = Callable[[Bench], contextlib.AbstractContextManager[None]]
INJECTED: Final[Mapping[str, Inject]] = {
    "nothing": nothing,
    "clock step": clock_step,
    "wall step": wall_step,
    "clock rate": clock_rate,
    "throttle": throttle,
    "steal": steal,
    "freeze": freeze,
    "loss": nothing,
    "DTX": nothing,
    "slow disk": slow_disk,
    "fork pause": fork,
}
"""Loss and DTX are the talkers' to make."""
