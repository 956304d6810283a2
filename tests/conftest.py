"""Rules for every test: seeded, nothing left behind, warnings are errors."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import Iterator

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from disturbance import Look, Witness

hypothesis.settings.register_profile(
    "project", derandomize=True, deadline=None, print_blob=True, database=None
)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=20_000)
hypothesis.settings.load_profile(os.environ.get("VOICEROOM_HYPOTHESIS", "project"))


DISTURBANCE = pytest.StashKey[str]()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(20_478)


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    """A test ends with the threads that it began with (daemon helpers of libraries excepted)."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and not t.daemon and t.is_alive()]
    assert not left, f"threads left behind: {left}"


def _known_tasks() -> list[asyncio.Task[object]]:
    """All tasks of all loops; asyncio.all_tasks only knows those of one."""
    names = ("_all_tasks", "_scheduled_tasks")  # 3.11, 3.12 and later
    return [task for name in names for task in getattr(asyncio.tasks, name, ())]


@pytest.fixture(autouse=True)
def _no_leaked_tasks() -> Iterator[None]:
    """No asyncio task outlives its test."""
    yield
    pending = [task for task in _known_tasks() if not task.done()]
    assert not pending, f"tasks left behind: {pending}"


@pytest.fixture(scope="session")
def _witness() -> Iterator[Witness]:
    witness = Witness()
    yield witness
    witness.close()


@pytest.fixture(autouse=True)
def _disturbed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leaves on a timing test what the machine did meanwhile."""
    if request.node.get_closest_marker("timing") is None:
        yield
        return
    witness, look = request.getfixturevalue("_witness"), Look.now()
    yield
    request.node.stash[DISTURBANCE] = look.disturbance(witness)


def _run_once(
    item: pytest.Item, nextitem: pytest.Item | None
) -> tuple[list[pytest.TestReport], str]:
    """The reports, and why a failure among them would be inconclusive; empty if it counts."""
    item.stash[DISTURBANCE] = ""
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    failed = any(report.failed for report in reports)
    return reports, item.stash[DISTURBANCE] if failed else ""


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A missed deadline on a disturbed machine is inconclusive: run once more, never green."""
    if item.get_closest_marker("timing") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports, why = _run_once(item, nextitem)
    if why:
        item._initrequest()  # type: ignore[attr-defined]
        reports, why = _run_once(item, nextitem)
    if why:
        for report in reports:
            report.outcome = "skipped" if report.failed else report.outcome
            report.longrepr = (item.nodeid, 0, f"INCONCLUSIVE, twice: {why}")
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
