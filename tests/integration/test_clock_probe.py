"""The clock probe as users start it, and beside a mixer, on the real machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.listening import until
from harness.mixer import Mixer

pytestmark = pytest.mark.timeout(120)


class Probe:
    """A running one."""

    def __init__(self, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        words = ("-m", "voiceroom_mixer.clockprobe", f"--listen=127.0.0.1:{self.port}", *options)
        self.process = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE)

    def get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def health(self) -> dict[str, Any]:
        text = self.get("/healthz")
        found: dict[str, Any] = json.loads(text) if text else {}
        return found

    def cpus(self) -> list[int]:
        return list(self.health().get("cpus", ()))

    def everybody(self) -> list[int]:
        """Who measures."""
        found: list[int] = []
        look = [self.process.pid]
        while look:
            pid = look.pop()
            inner = [int(word) for word in _read(f"/proc/{pid}/task/{pid}/children").split()]
            look += inner
            found += inner
        return found


def _read(path: str) -> str:
    """Empty when the process has ended meanwhile."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


@contextmanager
def running(*options: str) -> Iterator[Probe]:
    probe = Probe(*options)
    try:
        yield probe
    finally:
        probe.process.kill()
        probe.process.communicate()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("options", [(), ("--parallel",)], ids=["in-turn", "parallel"])
def test_every_allowed_cpu_is_visited_and_nobody_is_left_behind(options: tuple[str, ...]) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    with running(*options) as probe:
        until(lambda: probe.cpus() == allowed, what="not all CPUs were visited")
        text = probe.get("/metrics")
        for cpu in allowed:
            assert f'node_timer_drift_delta_seconds{{cpu="{cpu}"}} ' in text
        everybody = probe.everybody()
        assert len(everybody) == (1 + len(allowed) if options else 1)
        probe.process.send_signal(signal.SIGTERM)
        assert probe.process.wait(10) == 0
        until(lambda: all(map(gone, everybody)), what="somebody measures on")


def test_it_ends_when_nobody_measures_any_more() -> None:
    with running() as probe:
        until(lambda: probe.cpus() != [], what="nothing was measured")
        os.kill(probe.everybody()[0], signal.SIGKILL)
        assert probe.process.wait(10) == 1


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = ("-m", "voiceroom_mixer.clockprobe", f"--listen=127.0.0.1:{taken.getsockname()[1]}")
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "in use" in done.stderr


@contextmanager
def cpuset() -> Iterator[Path]:
    """A cpuset of one's own, of version 1 or 2; skips where there is none to be had."""
    if os.geteuid() != 0 or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("not root, or one CPU only")
    version_1 = Path("/sys/fs/cgroup/cpuset")
    top = version_1 if version_1.exists() else Path("/sys/fs/cgroup")
    own = top / f"voiceroom-test-{os.getpid()}"
    own.mkdir()
    try:
        if not (own / "cpuset.cpus").exists():
            pytest.skip("no cpuset controller here")
        if top == version_1:
            (own / "cpuset.mems").write_text((top / "cpuset.mems").read_text())
        yield own
    finally:
        until(lambda: not (own / "cgroup.procs").read_text(), what="the cpuset is in use")
        own.rmdir()


@pytest.mark.parametrize("options", [(), ("--parallel",)], ids=["in-turn", "parallel"])
def test_a_cpuset_that_shrinks_and_grows_is_followed(options: tuple[str, ...]) -> None:
    first, second = sorted(os.sched_getaffinity(0))[:2]
    with cpuset() as own:
        (own / "cpuset.cpus").write_text(f"{first},{second}")
        with running(*options) as probe:
            until(lambda: len(probe.everybody()) > 0, what="nobody measures")
            for pid in (probe.process.pid, *probe.everybody()):
                (own / "cgroup.procs").write_text(str(pid))
            until(lambda: probe.cpus() == [first, second], what="both CPUs")
            (own / "cpuset.cpus").write_text(str(second))
            until(lambda: _members(probe) in ([second], []), what="it has not followed")
            before = _visits(probe)
            until(lambda: _visits(probe) > before + 10, what="it has stopped")
            (own / "cpuset.cpus").write_text(f"{first},{second}")
            until(lambda: first in _pins(probe), what="it has not come back")
            everybody = probe.everybody()
        until(lambda: all(map(gone, everybody)), what="somebody measures on")


def _visits(probe: Probe) -> int:
    lines = probe.get("/metrics").splitlines()
    count = "voiceroom_timer_drift_seconds_count "
    return next((int(line.removeprefix(count)) for line in lines if line.startswith(count)), 0)


def _pins(probe: Probe) -> set[int]:
    """CPUs to which somebody is pinned at this moment."""
    pinned = (_affinity(pid) for pid in probe.everybody())
    return {cpu for cpus in pinned for cpu in cpus if len(cpus) == 1}


def _affinity(pid: int) -> set[int]:
    try:
        return set(os.sched_getaffinity(pid))
    except OSError:
        return set()


def _members(probe: Probe) -> list[int]:
    """CPUs that have a process of their own; none where one process visits all."""
    names = (_read(f"/proc/{pid}/comm").strip() for pid in probe.everybody())
    return sorted(int(name.partition("/")[2]) for name in names if "/" in name)


def test_its_figures_are_the_pods_beside_a_mixer(mixer: Mixer) -> None:
    allowed = {f'node_timer_drift_delta_seconds{{cpu="{c}"}}' for c in os.sched_getaffinity(0)}
    until(lambda: allowed <= mixer.metrics().keys(), what="no figures of the clock probe")
    assert mixer.metrics()["voiceroom_timer_drift_seconds_count"] > 0
    os.kill(mixer.pids()["voiceroom-clock-probe"], signal.SIGKILL)
    restarts = 'voiceroom_process_restarts_total{process="clock-probe"}'
    until(lambda: mixer.metrics()[restarts] == 1, what="it was not started again")
