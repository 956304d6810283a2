"""What the kernel grants: asked in a process of its own, since it cannot be given back."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from voiceroom_mixer.edge import realtime
from voiceroom_mixer.edge.cgroup import CpuBudget

ASK = """
import dataclasses, json, os, sys
from voiceroom_mixer.edge import prctl, realtime
{first}
granted = realtime.request({arguments})
if os.fork() == 0:
    child = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    print(json.dumps([dataclasses.asdict(granted), os.getppid(), child]), flush=True)
    os._exit(0)
os.wait()
"""
BECOME_NOBODY = "os.setuid(65534)"  # after the imports: nobody may not even reach the interpreter


def ask(arguments: str = "", *, first: str = "") -> tuple[dict[str, Any], list[int]]:
    run = subprocess.run(
        [sys.executable, "-c", ASK.format(arguments=arguments, first=first)],
        capture_output=True,
        check=True,
        text=True,
    )
    granted, _, child = json.loads(run.stdout)
    return granted, child


def test_what_is_granted_is_what_is_in_force_and_children_start_plain() -> None:
    granted, child = ask("7")
    assert granted["policy"] in ("fifo", "nice", "plain")
    if granted["policy"] == "fifo":
        assert granted["priority"] == 7
    # what was raised falls back to 0, whatever the one who asked began with
    begun = os.getpriority(os.PRIO_PROCESS, 0)
    assert child == [os.SCHED_OTHER, max(0, begun) if granted["policy"] == "plain" else 0]


def test_every_step_down_has_its_reason() -> None:
    granted, _ = ask()
    refused = {entry["what"]: entry for entry in granted["refused"]}
    if granted["policy"] != "fifo":
        assert refused["SCHED_FIFO 10"]["reason"]
    if granted["policy"] == "plain":
        assert refused["nice -11"]["errno"] in (errno.EPERM, errno.EACCES)
    assert granted["memory_locked"] or refused["locked memory"]["reason"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_without_privileges_the_process_goes_on_plain_and_says_why() -> None:
    granted, _ = ask(first=BECOME_NOBODY)
    assert (granted["policy"], granted["memory_locked"]) == ("plain", False)
    assert granted["timer_slack_ns"] == 1
    reasons = {entry["what"]: entry["reason"] for entry in granted["refused"]}
    assert "SYS_NICE" in reasons["nice -11"]
    assert "IPC_LOCK" in reasons["locked memory"]


def test_fifo_is_not_asked_for_where_the_pool_does_not_want_it() -> None:
    granted, _ = ask("fifo=False")
    assert granted["policy"] in ("nice", "plain")
    assert not any("FIFO" in entry["what"] for entry in granted["refused"])


def test_pinning() -> None:
    cpu = min(os.sched_getaffinity(0))
    granted, _ = ask(f"cpus=[{cpu}]")
    assert granted["cpus"] == [cpu]


def test_a_cpu_that_is_not_there_is_a_refusal() -> None:
    granted, _ = ask("cpus=[1000]")
    assert granted["refused"][0]["what"] == "CPUs [1000]"
    assert granted["cpus"] == sorted(os.sched_getaffinity(0))


def test_a_cgroup_without_real_time_budget_is_named_as_the_reason() -> None:
    why = realtime._why("SCHED_FIFO 10", errno.EPERM, CpuBudget(version=1, rt_runtime_us=0))
    assert "cpu.rt_runtime_us" in why
    why = realtime._why("SCHED_FIFO 10", errno.EPERM, CpuBudget(version=2))
    assert "SYS_NICE" in why


def test_capabilities_are_read_from_the_status_file(tmp_path: Path) -> None:
    status = tmp_path / "status"
    assert not realtime.has_capability(14, status)
    status.write_text("Name:\tx\nCapEff:\t0000000000004000\n")
    assert realtime.has_capability(14, status)
    assert not realtime.has_capability(23, status)
