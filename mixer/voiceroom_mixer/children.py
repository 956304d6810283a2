"""The keeper's children: when to start one again, and how it is started.

Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voiceroom_mixer.inheritance import FDS_ENV, SPARE_FD_ENV, Inherited

STOPPERS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
"""The keeper alone acts on these."""
ALARM: Final = signal.SIGUSR1
"""Of a node's clock probe, to media that handles it (``edge/alarms.py``). Until then, and of any
other process, it is ignored: nobody dies of it while he starts."""
BACKOFF_S: Final = (0.0, 0.1, 0.5, 1.0)
"""Before the first, second, ... restart in a row; the last from then on."""
PROBE_BACKOFF_S: Final = (1.0, 10.0, 60.0, 300.0)
"""Of the clock probe: nobody's call waits for it."""
STABLE_S: Final = 10.0
"""What lived this long starts again with a clean record."""
POD_OPTION: Final = "voiceroom-pod="
"""``-X voiceroom-pod=NAMESPACE/NAME`` on a child's command line, which Python passes over and
everybody on the node may read: a node's clock probe knows by it whom it looks at."""
_EXIT_NOT_STARTED: Final = 127
_PR_SET_PDEATHSIG: Final = 1
_ONE_THREAD: Final = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Neither an arena nor a pool of threads for threads that are not there."""

_prctl: Final = ctypes.CDLL(None).prctl


@dataclass(frozen=True, slots=True)
class Commands:
    """What the children run: arguments of this interpreter, to which media's index is added."""

    control: tuple[str, ...] = ("-m", "voiceroom_mixer.control")
    media: tuple[str, ...] = ("-m", "voiceroom_mixer.media")
    probe: tuple[str, ...] = ("-m", "voiceroom_mixer.clockprobe.beside")


@dataclass(slots=True)
class Child:
    """One process that has to be there."""

    name: str
    arguments: tuple[str, ...]
    fds: Inherited
    pid: int = 0
    """0 while it is not running."""
    started_s: float = 0.0
    due_s: float = 0.0
    """When to start it, while it is not running."""
    starts: int = 0
    deaths: int = 0
    """In a row, each soon after the start."""
    backoff_s: tuple[float, ...] = BACKOFF_S

    def started(self, now_s: float) -> None:
        """Note a start."""
        self.started_s = now_s
        self.starts += 1

    def died(self, now_s: float) -> None:
        """Note a death, and when to start it again."""
        self.deaths = 1 if now_s - self.started_s >= STABLE_S else self.deaths + 1
        delay_s = self.backoff_s[min(self.deaths, len(self.backoff_s)) - 1]
        self.pid, self.due_s = 0, now_s + delay_s


@dataclass(slots=True)
class Spare(Child):
    """A media process that has imported everything, and waits to be told which one it is."""

    pipe: int = -1
    """Down which that comes; -1 while it is not running."""

    def start(self) -> None:
        """Fork and execute it."""
        inner, self.pipe = os.pipe()
        self.pid = spawn(self, {SPARE_FD_ENV: inner})
        os.close(inner)

    def become(self, child: Child) -> bool:
        """Make it that media process; False when it has just died as well, and will be reaped."""
        try:
            os.write(self.pipe, child.arguments[-1].encode() + b"\n")
        except BrokenPipeError:
            return False
        self.let_go()
        child.pid, self.pid = self.pid, 0
        return True

    def let_go(self) -> None:
        """Close our end of the pipe: it is promoted, or dead."""
        os.close(self.pipe)
        self.pipe = -1


def spawn(child: Child, pipes: Mapping[str, int] | None = None) -> int:
    """Fork and execute; the pid. ``pipes``: further descriptors by the variable that names them.

    Signals wait meanwhile: before it executes, a child would tell the keeper's loop of its own.
    """
    keeper_pid = os.getpid()
    waiting = {*STOPPERS, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, waiting)
    pid = os.fork()
    if pid == 0:
        _become(child, pipes or {}, keeper_pid)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, waiting)
    return pid


def _become(child: Child, pipes: Mapping[str, int], keeper_pid: int) -> None:
    """In the child: never returns."""
    try:
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != keeper_pid:
            os._exit(_EXIT_NOT_STARTED)  # the keeper died before the line above
        _reset_signals()
        for fd in (*child.fds.numbers(), *pipes.values()):
            os.set_inheritable(fd, True)
        named = {variable: str(fd) for variable, fd in pipes.items()}
        environ = {**_ONE_THREAD, **os.environ, FDS_ENV: child.fds.to_json(), **named}
        # The name stands beside the real interpreter, so that Python finds its virtual environment.
        name = os.path.join(os.path.dirname(sys.executable), child.name)
        words = [name, "-P", *pod_words(os.environ), *child.arguments]
        os.execve(sys.executable, words, environ)
    except OSError as error:
        os.write(2, f"{child.name}: cannot be started: {error}\n".encode())
    finally:
        os._exit(_EXIT_NOT_STARTED)


def pod_words(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which pod this is, as an option of the interpreter; none where it is no pod."""
    namespace, name = environ.get("POD_NAMESPACE"), environ.get("POD_NAME")
    return ("-X", f"{POD_OPTION}{namespace}/{name}") if namespace and name else ()


def _reset_signals() -> None:
    """A terminal's Ctrl-C reaches the whole process group: only the keeper acts on it."""
    for number in (*STOPPERS, ALARM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*STOPPERS, signal.SIGCHLD})
