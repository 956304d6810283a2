"""Processes that outlive the command that started them, and how to end exactly those.

A pid alone may belong to somebody else by the time it is read again; a pid with the moment at
which it was started may not. Signals go through a pidfd, so that nothing slips in between.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from localcluster.failure import ClusterError

_START_TIME_FIELD = 21  # of /proc/PID/stat, proc(5): field 22, counted from 1
STOP_WAIT_S = 15.0


@dataclass(frozen=True)
class Started:
    """One process: `start_ticks` is when it began, in clock ticks since boot."""

    name: str
    pid: int
    start_ticks: int

    def is_alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        seen = _stat(self.pid)
        return seen is not None and seen == (self.start_ticks, True)

    def send(self, number: signal.Signals) -> bool:
        """Signal it; False when it is gone."""
        with _pidfd(self) as descriptor:
            if descriptor is not None:
                signal.pidfd_send_signal(descriptor, number)
            return descriptor is not None


class Processes:
    """What was started, on record in `folder`/processes.json from the moment it runs.

    `prefix` goes before each command: `setpriv --pdeathsig KILL` for processes that must not
    outlive their parent.
    """

    def __init__(self, folder: Path, prefix: Sequence[str] = ()) -> None:
        self.folder = folder
        self.prefix = tuple(prefix)
        self._file = folder / "processes.json"

    def all(self) -> list[Started]:
        """Everything on record, in the order of starting."""
        if not self._file.exists():
            return []
        return [Started(**entry) for entry in json.loads(self._file.read_text())]

    def named(self, name: str) -> Started:
        """The newest process of that name. Raises: KeyError."""
        for started in reversed(self.all()):
            if started.name == name:
                return started
        raise KeyError(f"no process {name!r} on record; there are {[s.name for s in self.all()]}")

    def start(self, name: str, command: Sequence[str], cgroup: Path | None = None) -> Started:
        """Run `command` in a session of its own, its output in log/NAME.log.

        With `cgroup` it is in that cgroup before the program begins, and so are its children.
        """
        logs = self.folder / "log"
        logs.mkdir(parents=True, exist_ok=True)
        pid = _spawn([*self.prefix, *_inside(cgroup), *command], logs / f"{name}.log")
        seen = _stat(pid)
        started = Started(name, pid, seen[0] if seen else 0)
        self._write([*self.all(), started])
        return started

    def must_live(self, name: str) -> None:
        """Raises: ClusterError with the end of its log when the process has ended."""
        if not self.named(name).is_alive():
            raise ClusterError(f"{name} ended by itself. Its last words:\n{self.last_words(name)}")

    def last_words(self, name: str, lines: int = 15) -> str:
        """The end of its log."""
        text = (self.folder / "log" / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, *names: str) -> None:
        """End the processes of these names and wait for them."""
        chosen = [started for started in self.all() if started.name in names]
        end(chosen)
        if chosen:
            self._write([started for started in self.all() if started not in chosen])

    def stop_all(self) -> None:
        """End everything on record, the last one first, waiting for each."""
        for started in reversed(self.all()):
            end([started])
        self._file.unlink(missing_ok=True)

    def _write(self, entries: list[Started]) -> None:
        aside = self._file.with_suffix(".new")
        aside.write_text(json.dumps([asdict(entry) for entry in entries], indent=1))
        os.replace(aside, self._file)


def end(chosen: Sequence[Started], wait_s: float = STOP_WAIT_S) -> None:
    """SIGTERM to all, wait for them, SIGKILL to those that stay."""
    for started in chosen:
        # One that a test has frozen hears SIGTERM only when it goes on.
        started.send(signal.SIGTERM)
        started.send(signal.SIGCONT)
    for started in chosen:
        if not _has_ended(started, wait_s):
            started.send(signal.SIGKILL)
            _has_ended(started, wait_s)


def _has_ended(started: Started, wait_s: float) -> bool:
    with _pidfd(started) as descriptor:
        ended = descriptor is None or bool(select.select([descriptor], [], [], wait_s)[0])
    if ended:
        with contextlib.suppress(ChildProcessError):  # it is not our child: init reaps it
            os.waitpid(started.pid, os.WNOHANG)
    return ended


@contextlib.contextmanager
def _pidfd(started: Started) -> Iterator[int | None]:
    try:
        descriptor = os.pidfd_open(started.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield descriptor if started.is_alive() else None
    finally:
        os.close(descriptor)


def _stat(pid: int) -> tuple[int, bool] | None:
    """Start time, and whether it runs; None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may hold anything, brackets and spaces included.
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[_START_TIME_FIELD - 2]), fields[0] not in "ZX"


def _inside(cgroup: Path | None) -> list[str]:
    if cgroup is None:
        return []
    enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
    return ["/bin/sh", "-c", enter, str(cgroup)]


def _spawn(command: Sequence[str], log: Path) -> int:
    program = shutil.which(command[0])
    if program is None:
        raise ClusterError(f"the program {command[0]} is missing: run `scripts/setup cluster`.")
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(program, list(command), os.environ, file_actions=actions, setsid=True)
