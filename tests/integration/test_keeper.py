"""The real keeper over stand-in children: starts, restarts, drains, ends, leaves nothing behind."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from fakes import standin
from voiceroom_mixer.config import CONFIG_FD_ENV, Endpoint, Limits, LogFormat, RunConfig
from voiceroom_mixer.inheritance import EXIT_CONFIG

STANDIN: Final = standin.__file__
PATIENCE_S: Final = 15.0
START: Final = """
import ctypes, sys
from voiceroom_mixer import keeper
keeper.SPARE_AFTER_S = {spare_after_s}
keeper.PROBE_AFTER_S = {spare_after_s}
keeper.DRAIN_GRACE_S = 0.0
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to us, as to PID 1
commands = keeper.Commands(control={control!r}, media={media!r}, probe={probe!r})
sys.exit(keeper.main(commands))
"""
NEVER: Final = 1e6
LOOPBACK: Final = Endpoint("127.0.0.1", 0)


class Run:
    """One keeper with its stand-ins, and what they tell."""

    def __init__(self, config: RunConfig, *, spare_after_s: float, environ: dict[str, str]) -> None:
        code = START.format(
            spare_after_s=spare_after_s,
            control=(STANDIN, "control"),
            media=(STANDIN, "media"),
            probe=(STANDIN, "probe"),
        )
        fd = os.memfd_create("config", 0)
        os.write(fd, config.to_json().encode())
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, CONFIG_FD_ENV: str(fd), **environ},
            pass_fds=(fd,),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(fd)
        self._unread = {1: b"", 2: b""}
        self._waiting: list[dict[str, Any]] = []

    def event(self, event: str, **facts: Any) -> dict[str, Any]:
        """The first event of that kind with these facts that was not asked for before."""
        wanted = {"event": event, **facts}
        while True:
            for found in self._waiting:
                if wanted.items() <= found.items():
                    self._waiting.remove(found)
                    return found
            self._waiting.append(json.loads(self._line(1)))

    def said(self, text: str) -> str:
        """The next line of the keeper's own that holds ``text``."""
        while True:
            line = self._line(2)
            if text in line:
                return line

    def _line(self, number: int) -> str:
        pipe = self.process.stdout if number == 1 else self.process.stderr
        assert pipe is not None
        until = time.monotonic() + PATIENCE_S
        while b"\n" not in self._unread[number]:
            ready, _, _ = select.select([pipe], [], [], until - time.monotonic())
            assert ready, f"nothing came within {PATIENCE_S} s"
            more = os.read(pipe.fileno(), 65_536)
            assert more, f"the keeper has ended: {self._unread}"
            self._unread[number] += more
        line, _, self._unread[number] = self._unread[number].partition(b"\n")
        return line.decode()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def gone(pid: int) -> bool:
    """Wait until a process has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    ended = bool(poll.poll(PATIENCE_S * 1_000))
    os.close(fd)
    return ended


def alive(pid: int) -> bool:
    with suppress(OSError):
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def run_config(
    *,
    http: Endpoint = LOOPBACK,
    udp: Endpoint = LOOPBACK,
    admin: Endpoint | None = None,
    media_processes: int = 1,
    drain_deadline_s: float = 600.0,
    log_format: LogFormat = "text",
) -> RunConfig:
    return RunConfig(
        rooms=(),
        http=http,
        udp=udp,
        admin=admin,
        metrics=None,
        advertise=(),
        keys="/nowhere",
        tls=None,
        trusted_proxies=(),
        rtp_allow=(),
        ice_servers=(),
        drain_deadline_s=drain_deadline_s,
        media_processes=media_processes,
        log_format=log_format,
        limits=Limits(),
    )


Starter = Callable[..., Run]


@pytest.fixture
def start() -> Iterator[Starter]:
    runs: list[Run] = []

    def starter(
        config: RunConfig | None = None, spare_after_s: float = NEVER, **environ: str
    ) -> Run:
        runs.append(Run(config or run_config(), spare_after_s=spare_after_s, environ=environ))
        return runs[-1]

    yield starter
    for run in runs:
        run.close()


def test_both_are_started_with_their_names_sockets_and_without_the_signals_of_others(
    start: Starter,
) -> None:
    run = start(run_config(media_processes=2, admin=Endpoint("127.0.0.1", 0)))
    seen = {run.event("media", index=0)["name"]}
    told = run.event("control")
    assert seen == {"voiceroom-media"}
    assert told["name"] == "voiceroom-control"
    assert told["ignored"] == ["SIGTERM", "SIGINT", "SIGUSR1"]
    assert len(told["fds"]["media"]) == 2
    assert told["fds"]["metrics"] is None
    assert isinstance(told["fds"]["admin"], int)


def test_a_killed_media_process_is_back_with_the_same_segment(start: Starter) -> None:
    run = start()
    first = run.event("media")
    os.kill(first["pid"], signal.SIGKILL)
    second = run.event("media")
    assert second["pid"] != first["pid"]
    assert (second["index"], second["boots"]) == (0, 2)
    assert second["ignored"] == ["SIGTERM", "SIGINT", "SIGUSR1"]
    assert "was killed by SIGKILL; restart in 0.0 s" in run.said("voiceroom-media")


def test_a_spare_takes_the_place_of_the_dead_and_another_is_kept(start: Starter) -> None:
    run = start(run_config(media_processes=2), spare_after_s=0.0)
    media = {run.event("media")["index"], run.event("media")["index"]}
    assert media == {0, 1}
    spares = [run.event("spare"), run.event("spare")]
    assert {spare["name"] for spare in spares} == {"voiceroom-spare"}
    victim = start_of(run, index=1)
    os.kill(victim, signal.SIGKILL)
    taken_over = run.event("media", index=1)
    assert taken_over["pid"] in {spare["pid"] for spare in spares}
    assert taken_over["name"] == "voiceroom-media"
    assert taken_over["boots"] == 2
    assert run.event("spare")["pid"] not in {spare["pid"] for spare in spares}


def test_there_is_a_spare_for_the_heir_as_well(start: Starter) -> None:
    run = start(spare_after_s=0.5)
    first = run.event("media")
    spares = {run.event("spare")["pid"], run.event("spare")["pid"]}
    os.kill(first["pid"], signal.SIGKILL)
    heir = run.event("media")
    os.kill(heir["pid"], signal.SIGKILL)
    assert {heir["pid"], run.event("media")["pid"]} == spares


def start_of(run: Run, index: int) -> int:
    """The pid of media process ``index``, from the kernel's list of the keeper's children."""
    for pid in children(run):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        if words[0].endswith("voiceroom-media") and words[-2] == str(index):
            return pid
    raise AssertionError(f"no media process {index}")


def children(run: Run) -> list[int]:
    pid = run.process.pid
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_clock_probe_runs_beside_and_sees_nothing_but_memory(start: Starter) -> None:
    told = start(run_config(admin=LOOPBACK), spare_after_s=0.0).event("probe")
    assert told["name"] == "voiceroom-clock-probe"
    assert told["ignored"] == ["SIGTERM", "SIGINT", "SIGUSR1"]
    assert isinstance(told["fds"]["probe"], int)
    assert {told["fds"][door] for door in ("http", "admin", "metrics", "keeper")} == {None}


def test_a_clock_probe_that_cannot_run_ends_nobody_else(start: Starter) -> None:
    run = start(spare_after_s=0.0, STANDIN_ENDS=json.dumps({"probe": EXIT_CONFIG}))
    run.event("ends", role="probe")
    assert "exited with status 78; restart in 1.0 s" in run.said("voiceroom-clock-probe")
    assert run.event("control")["pid"] in children(run)


def test_no_clock_probe_where_none_is_wanted(start: Starter) -> None:
    run = start(spare_after_s=0.0, VOICEROOM_CLOCK_PROBE="0")
    run.event("spare")
    run.event("spare")
    assert len(children(run)) == 4


def test_a_spare_that_dies_is_replaced(start: Starter) -> None:
    run = start(spare_after_s=0.0)
    spares = [run.event("spare")["pid"], run.event("spare")["pid"]]
    os.kill(spares[0], signal.SIGKILL)
    assert run.event("spare")["pid"] not in spares


def test_a_killed_control_process_is_back_and_its_socket_was_never_closed(start: Starter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    run = start(run_config(http=Endpoint("127.0.0.1", port)))
    first = run.event("control")
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S):
        os.kill(first["pid"], signal.SIGKILL)
        second = run.event("control")
    assert second["pid"] != first["pid"]
    assert second["fds"] == first["fds"]


def test_a_crash_loop_is_slowed_down_and_logged(start: Starter) -> None:
    run = start(STANDIN_ENDS='{"media": 3}')
    delays = [run.said("voiceroom-media exited with status 3") for _ in range(5)]
    waited = [line.rsplit("restart in ")[1] for line in delays]
    assert waited == ["0.0 s", "0.1 s", "0.5 s", "1.0 s", "1.0 s"]
    assert ["crash loop" in line for line in delays] == [False, False, False, True, True]


def test_a_child_that_can_never_run_ends_the_start(start: Starter) -> None:
    run = start(STANDIN_ENDS='{"control": 78}')
    assert "cannot run as configured" in run.said("voiceroom-control")
    assert run.exit_code() == 1


def test_the_first_sigterm_drains_and_media_goes_on(start: Starter) -> None:
    run = start()
    media = run.event("media")["pid"]
    run.event("control")
    run.signal(signal.SIGTERM)
    assert run.event("told")["line"] == "drain"
    assert alive(media)
    assert run.process.poll() is None


def test_drained_ends_everything_well(start: Starter) -> None:
    run = start(STANDIN_DRAINS="1", spare_after_s=0.0)
    for _ in range(2):
        run.event("spare")
    run.event("probe")
    everybody = children(run)
    assert len(everybody) == 5
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0
    assert all(gone(pid) for pid in everybody)


def test_a_control_process_that_dies_while_draining_is_told_again(start: Starter) -> None:
    run = start()
    first = run.event("control")["pid"]
    run.signal(signal.SIGTERM)
    run.event("told", line="drain")
    os.kill(first, signal.SIGKILL)
    assert run.event("told", line="drain")["pid"] != first


def test_a_second_sigterm_ends_at_once(start: Starter) -> None:
    run = start()
    everybody = {run.event("media")["pid"], run.event("control")["pid"]}
    run.signal(signal.SIGTERM)
    run.event("told")
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 128 + signal.SIGTERM
    assert all(gone(pid) for pid in everybody)


def test_control_c_in_the_terminal_drains_and_twice_ends(start: Starter) -> None:
    """It reaches the whole process group: the children must not die of it."""
    run = start()
    everybody = {run.event("media")["pid"], run.event("control")["pid"]}
    os.killpg(run.process.pid, signal.SIGINT)
    run.event("told", line="drain")
    assert all(alive(pid) for pid in everybody)
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.exit_code() == 128 + signal.SIGINT


def test_a_drain_that_is_overdue_ends(start: Starter) -> None:
    run = start(run_config(drain_deadline_s=0.2))
    run.event("control")
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0
    run.said("the drain deadline has passed")


def test_a_killed_keeper_leaves_nothing_behind(start: Starter) -> None:
    run = start(run_config(media_processes=2), spare_after_s=0.0)
    for _ in range(2):
        run.event("spare")
    run.event("probe")
    everybody = children(run)
    assert len(everybody) == 6
    run.signal(signal.SIGKILL)
    assert all(gone(pid) for pid in everybody)


def test_orphans_are_reaped_as_by_pid_1(start: Starter) -> None:
    run = start(STANDIN_ORPHAN="1")
    media = run.event("media")["pid"]
    orphan = run.event("orphan")["pid"]
    assert gone(orphan)
    os.kill(media, signal.SIGKILL)
    run.event("media")  # by now the keeper has collected all that was dead
    assert not Path(f"/proc/{orphan}").exists()


@pytest.mark.parametrize(
    ("option", "kind"), [("--http", socket.SOCK_STREAM), ("--udp", socket.SOCK_DGRAM)]
)
def test_an_address_in_use_is_named_with_its_option(
    start: Starter, option: str, kind: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        at = Endpoint("127.0.0.1", taken.getsockname()[1])
        run = start(run_config(http=at) if option == "--http" else run_config(udp=at))
        line = run.said("voiceroom-mixer:")
        assert f"{option} {at}: address already in use; choose another {option}" in line
        assert run.exit_code() == 1


def test_json_logs_are_json(start: Starter) -> None:
    run = start(run_config(log_format="json"), STANDIN_ENDS='{"control": 78}')
    entry = json.loads(run.said("voiceroom-control"))
    assert entry["logger"] == "voiceroom.keeper"


def test_without_a_configuration_it_says_how_to_start() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "voiceroom_mixer.keeper"],
        env={k: v for k, v in os.environ.items() if k != CONFIG_FD_ENV},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "voiceroom-mixer run" in run.stderr
