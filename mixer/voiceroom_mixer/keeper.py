"""The keeper: holds sockets and shared memory open, and keeps control and media running.

Fit to be PID 1: it reaps whatever dies. It imports the standard library and the configuration
only, because what does not run cannot fail. Its children ignore SIGTERM and SIGINT, and the kernel
kills them when the keeper dies. The first SIGTERM or SIGINT sends ``drain`` to control; on
``drained``, or when that is overdue, everything ends. A second one ends everything at once.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Final

from voiceroom_mixer import config as run_config
from voiceroom_mixer import outflow
from voiceroom_mixer.children import (
    BACKOFF_S,
    PROBE_BACKOFF_S,
    STOPPERS,
    Child,
    Commands,
    Spare,
    spawn,
)
from voiceroom_mixer.config import ConfigError, RunConfig
from voiceroom_mixer.heart import LINE, Heart
from voiceroom_mixer.inheritance import (
    EXIT_CONFIG,
    Estate,
    ListenError,
    open_estate,
)

EXIT_FAILED: Final = 1
SPARE_AFTER_S: Final = 2.0
"""The spare's imports must not compete with a start that somebody waits for."""
SPARES: Final = 2
"""One takes the place of the dead, one that of its heir: a new one needs seconds to get warm."""
PROBE_AFTER_S: Final = 3.0
"""As late as a spare, for the same reason."""
PROBE_ENV: Final = "VOICEROOM_CLOCK_PROBE"
"""0 = no clock probe beside this mixer."""
DRAIN_GRACE_S: Final = 5.0
_MAX_LINE: Final = 64 * 1024


class Keeper:
    """Starts, watches, restarts, drains, ends. ``run`` is the life of it."""

    def __init__(self, config: RunConfig, estate: Estate, commands: Commands) -> None:
        self._config, self._estate = config, estate
        for_media = estate.for_media()
        self._media = [
            Child("voiceroom-media", (*commands.media, str(index)), for_media)
            for index in range(config.media_processes)
        ]
        self._control = Child("voiceroom-control", commands.control, estate.for_control())
        spare = (*commands.media, "spare")
        self._spares = [Spare("voiceroom-spare", spare, for_media) for _ in range(SPARES)]
        self._probes = _probes(commands, estate)
        self._heart = Heart(estate.udp, estate.segments)
        self._exit_code: int | None = None
        self._drain_until_s: float | None = None
        self._heard = b""

    def run(self) -> int:
        """Until drained, told twice, or a child cannot ever run; the exit code."""
        wake_in, wake_out = socket.socketpair()
        for end in (wake_in, wake_out):
            end.setblocking(False)
        signal.set_wakeup_fd(wake_in.fileno(), warn_on_full_buffer=False)
        for number in (*STOPPERS, signal.SIGCHLD):
            signal.signal(number, _noted)
        for place, spare in enumerate(self._spares, 1):
            spare.due_s = time.monotonic() + place * SPARE_AFTER_S
        for probe in self._probes:
            probe.due_s = time.monotonic() + PROBE_AFTER_S
        with selectors.DefaultSelector() as selector:
            selector.register(wake_out, selectors.EVENT_READ, self._signalled)
            selector.register(self._estate.keeper, selectors.EVENT_READ, self._told)
            while self._exit_code is None:
                self._start_due()
                self._heart.beat(time.monotonic())
                for key, _ in selector.select(self._patience_s()):
                    key.data(_received(key.fileobj))
        self._kill_all()
        return self._exit_code

    # What happens

    def _signalled(self, numbers: bytes) -> None:
        self._reap()
        for number in numbers:
            if number in STOPPERS:
                self._asked_to_stop(number)

    def _asked_to_stop(self, number: int) -> None:
        if self._drain_until_s is not None:
            self._log("told twice: ending at once")
            self._exit_code = 128 + number
            return
        self._drain_until_s = time.monotonic() + self._config.drain_deadline_s + DRAIN_GRACE_S
        self._log("draining: no new joins; once more (or Ctrl-C again) ends at once")
        self._say_drain()

    def _say_drain(self) -> None:
        # Full or gone: control is told again when it restarts, and the deadline holds anyway.
        with suppress(OSError):
            self._estate.keeper.send(b"drain\n")

    def _told(self, text: bytes) -> None:
        *lines, rest = (self._heard + text).split(b"\n")
        self._heard = rest[-_MAX_LINE:]
        for line in lines:
            if line.startswith(LINE.encode()):
                self._heart.tell(line.decode("ascii", "replace"))
        if b"drained" in lines and self._drain_until_s is not None:
            self._exit_code = 0

    # Children

    def _children(self) -> tuple[Child, ...]:
        return (*self._media, self._control, *self._spares, *self._probes)

    def _start_due(self) -> None:
        now_s = time.monotonic()
        if self._drain_until_s is not None and now_s >= self._drain_until_s:
            self._log("the drain deadline has passed: ending")
            self._exit_code = 0
            return
        for child in self._children():
            if not child.pid and child.due_s <= now_s:
                self._start(child)

    def _patience_s(self) -> float | None:
        """Until the next thing to do by time; None: only an event can bring work."""
        moments = [child.due_s for child in self._children() if not child.pid]
        if self._drain_until_s is not None:
            moments.append(self._drain_until_s)
        now_s = time.monotonic()
        waits = [max(0.0, moment - now_s) for moment in moments]
        beat_s = self._heart.patience_s(now_s)
        return min(waits if beat_s is None else [*waits, beat_s], default=None)

    def _start(self, child: Child) -> None:
        if isinstance(child, Spare):
            child.start()
        elif child not in self._media or not self._promote(child):
            child.pid = spawn(child)
        child.started(time.monotonic())
        if child is self._control and self._drain_until_s is not None:
            self._say_drain()

    def _promote(self, child: Child) -> bool:
        """Make the oldest spare this media process; False when there is none to be had."""
        for spare in sorted(self._spares, key=_age):
            if spare.pid and spare.become(child):
                spare.due_s = time.monotonic() + SPARE_AFTER_S
                return True
        return False

    def _reap(self) -> None:
        """Collect every dead process, our own and, as PID 1, those left to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self._children():
                if child.pid == pid:
                    self._bury(child, os.waitstatus_to_exitcode(status))

    def _bury(self, child: Child, code: int) -> None:
        now_s = time.monotonic()
        child.died(now_s)
        if isinstance(child, Spare):
            child.let_go()
            child.due_s += SPARE_AFTER_S
        elif code == EXIT_CONFIG and child.starts == 1 and child not in self._probes:
            # Later it would end the calls of a mixer that has run well so far.
            self._log(f"{child.name} cannot run as configured: ending")
            self._exit_code = EXIT_FAILED
            return
        loop = ", a crash loop" if child.deaths >= len(BACKOFF_S) else ""
        self._log(f"{child.name} {_how(code)}{loop}; restart in {child.due_s - now_s:.1f} s")

    def _kill_all(self) -> None:
        for child in self._children():
            if child.pid:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.pid = 0

    def _log(self, message: str) -> None:
        sys.stderr.write(_line(self._config, message))


def _line(config: RunConfig, message: str) -> str:
    if config.log_format == "json":
        entry = {"time": time.time(), "logger": "voiceroom.keeper", "message": message}
        return json.dumps(entry) + "\n"
    return f"voiceroom-keeper: {message}\n"


def _probes(commands: Commands, estate: Estate) -> list[Child]:
    """One, unless it is not wanted. Nothing depends on it, whatever becomes of it."""
    if os.environ.get(PROBE_ENV) == "0":
        return []
    name, fds = "voiceroom-clock-probe", estate.for_probe()
    return [Child(name, commands.probe, fds, backoff_s=PROBE_BACKOFF_S)]


def _age(spare: Spare) -> float:
    return spare.started_s


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The wake-up descriptor has the signal's number; nothing is done in the handler."""


def _received(end: object) -> bytes:
    assert isinstance(end, socket.socket)
    with suppress(BlockingIOError):
        return end.recv(4096)
    return b""


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"exited with status {code}"


def _allow_many_files() -> None:
    """Every event stream of a page is a descriptor of control's: as many as are permitted."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(commands: Commands | None = None) -> int:
    """Run the configuration in ``VOICEROOM_CONFIG_FD``; the exit code."""
    log = outflow.take_over()
    try:
        config = run_config.load()
        log.note = lambda dropped: _line(config, f"{dropped} lines were dropped: nobody took them")
        _allow_many_files()
        estate = open_estate(config)
    except (ConfigError, ListenError) as error:
        sys.stderr.write(f"voiceroom-mixer: {error}\n")
        return EXIT_FAILED
    return Keeper(config, estate, commands or Commands()).run()


if __name__ == "__main__":
    sys.exit(main())
