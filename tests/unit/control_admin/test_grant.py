"""Real time that was asked for: granted or not, by what the process found by trying."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from voiceroom_api import names, reasons
from voiceroom_mixer.config import RealtimeAsk
from voiceroom_mixer.control.admin.grant import Grant, Scheduling, judge
from voiceroom_mixer.edge.cgroup import CpuBudget

PLAIN = Scheduling("nice", memory_locked=False, cpus=(0, 1), refused=())
FIFO = Scheduling("fifo", memory_locked=True, cpus=(0,), refused=())
REFUSED = Scheduling("plain", False, (0,), (("SCHED_FIFO 10", errno.EPERM, "not permitted"),))
UNLOCKED = replace(FIFO, memory_locked=False, refused=(("locked memory", 0, "RLIMIT"),))
FREE = CpuBudget(version=2)
LIMITED = CpuBudget(version=1, quota_us=100_000, period_us=100_000)


def asked(
    ask: RealtimeAsk,
    *media: Scheduling,
    budget: CpuBudget = FREE,
    cpus: int = 4,
    may_set_policy: bool = False,
) -> Grant:
    found = judge(ask, list(media), budget, cpus, may_set_policy=may_set_policy)
    known = reasons.MIXER_POOL[names.REALTIME_GRANTED].reasons
    assert found.reason in known
    assert bool(found.remedy) == (found.granted is False), "a refusal comes with its cure"
    return found


def test_before_media_has_said_anything_nothing_is_claimed() -> None:
    for mode in ("Shared", "Quota", "Exclusive", "Fifo"):
        found = asked(RealtimeAsk(mode=mode))
        assert (found.granted, found.reason) == (None, names.NOT_REPORTED)


def test_shared_asks_for_nothing() -> None:
    assert asked(RealtimeAsk("Shared"), PLAIN).granted


@pytest.mark.parametrize(
    ("budget", "granted", "reason"),
    [(LIMITED, True, names.GRANTED), (FREE, False, names.QUOTA_MISSING)],
)
def test_a_quota_is_read_back(budget: CpuBudget, granted: bool, reason: str) -> None:
    found = asked(RealtimeAsk("Quota"), PLAIN, budget=budget)
    assert (found.granted, found.reason) == (granted, reason)


@pytest.mark.parametrize(
    ("cpus", "budget", "reason"),
    [
        (2, FREE, names.GRANTED),
        (8, FREE, names.CPU_SHARED_NOT_EXCLUSIVE),
        (1, FREE, names.CPU_SHARED_NOT_EXCLUSIVE),
        (2, LIMITED, names.QUOTA_ACTIVE),
    ],
)
def test_exclusive_cpus_are_as_many_as_asked_and_unthrottled(
    cpus: int, budget: CpuBudget, reason: str
) -> None:
    found = asked(RealtimeAsk("Exclusive", cpus=2), PLAIN, budget=budget, cpus=cpus)
    assert found.reason == reason
    assert found.granted == (reason == names.GRANTED)


def test_fifo_is_granted_when_every_process_has_it_and_its_memory() -> None:
    ask = RealtimeAsk("Fifo", priority=42)
    assert asked(ask, FIFO, FIFO).granted
    assert "42" in asked(ask, FIFO).message
    assert asked(ask, FIFO, REFUSED).granted is False
    assert asked(ask, FIFO, UNLOCKED).reason == names.MEMLOCK_DENIED


@pytest.mark.parametrize(
    ("may_set_policy", "reason"),
    [(False, names.MISSING_CAP_SYS_NICE), (True, names.RT_GROUP_SCHED_BLOCKED)],
)
def test_who_refused_fifo_is_told_apart(may_set_policy: bool, reason: str) -> None:
    found = asked(RealtimeAsk("Fifo"), REFUSED, may_set_policy=may_set_policy)
    assert (found.reason, found.errno) == (reason, errno.EPERM)


def test_what_media_reports_is_read() -> None:
    said = {
        "policy": "plain",
        "memory_locked": False,
        "cpus": [0],
        "refused": [{"what": "SCHED_FIFO 10", "errno": errno.EPERM, "reason": "not permitted"}],
    }
    assert Scheduling.read(said) == REFUSED
