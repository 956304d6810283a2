"""The preloaded clocks, under a small process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from voiceroom_driftlab.real import shim
from voiceroom_driftlab.real.plan import CONSTANT_NS
from voiceroom_driftlab.real.shim import Shim
from voiceroom_mixer.native.build import BuildError

S = 1_000_000_000
HOUR = 3_600 * S
CLOCKS = (
    "(time.CLOCK_MONOTONIC, time.CLOCK_MONOTONIC_RAW, time.CLOCK_BOOTTIME, time.CLOCK_REALTIME)"
)
CHILD = f"""
import json, sys, time
from voiceroom_mixer.edge import clock
for line in sys.stdin:
    ids = {CLOCKS}
    shown = [time.clock_gettime_ns(i) for i in ids]
    print(json.dumps([a - clock.syscall_ns(i) for a, i in zip(shown, ids)]), flush=True)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shim.build(tmp_path_factory.mktemp("cache"))


class Child:
    """A process that says how far its readings are from the system call's."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=os.environ | environ,
        )  # fmt: skip

    def ahead_ns(self) -> list[int]:
        """Of MONOTONIC, RAW, BOOTTIME and the wall clock."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return list(json.loads(self.process.stdout.readline()))

    def ahead_s(self) -> list[int]:
        """The same in whole seconds."""
        return [round(ns / S) for ns in self.ahead_ns()]


@pytest.fixture
def steered(library: Path, tmp_path: Path) -> Iterator[tuple[Shim, Child]]:
    clocks = Shim(tmp_path, library)
    child = Child(clocks.environ())
    try:
        yield clocks, child
    finally:
        child.process.communicate()
        clocks.close()


CONSTANT_S = [ns // S for ns in CONSTANT_NS]


def test_only_the_constant_offsets_are_there_until_something_is_ordered(
    steered: tuple[Shim, Child],
) -> None:
    clocks, child = steered
    assert child.ahead_s() == CONSTANT_S
    assert clocks.falsified == 0


def test_a_step_shows_in_the_clocks_it_was_ordered_for_until_it_is_taken_back(
    steered: tuple[Shim, Child],
) -> None:
    clocks, child = steered
    clocks.falsify(child.process.pid, (HOUR, 0, 0, -HOUR), (0, 0, 0, 0))
    mono, raw, boot, wall = CONSTANT_S
    assert child.ahead_s() == [mono + 3_600, raw, boot, wall - 3_600]
    assert clocks.falsified >= 2
    clocks.settle()
    assert child.ahead_s() == CONSTANT_S


def test_another_process_reads_the_truth(steered: tuple[Shim, Child]) -> None:
    clocks, child = steered
    clocks.falsify(child.process.pid + 1, (HOUR, HOUR, HOUR, HOUR), (0, 0, 0, 0))
    assert child.ahead_s() == CONSTANT_S
    assert clocks.falsified == 0


def test_a_rate_grows(steered: tuple[Shim, Child]) -> None:
    clocks, child = steered
    thousand = 10**12  # a reading that runs a thousand times as fast
    clocks.falsify(child.process.pid, (0, 0, 0, 0), (0, thousand, 0, 0))
    begin, end = child.ahead_ns(), child.ahead_ns()
    assert end[1] > begin[1] > CONSTANT_NS[1]
    assert [round(begin[clock] / S) for clock in (0, 2)] == [CONSTANT_S[0], CONSTANT_S[2]]


def test_the_library_is_compiled_once_for_one_content(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = library.stat().st_mtime_ns
    assert shim.build(library.parent) == library
    assert library.stat().st_mtime_ns == made
    monkeypatch.setattr(shim, "FLAGS", (*shim.FLAGS, "-O1"))
    assert shim.target(library.parent) != library


def test_a_compiler_that_fails_is_an_error_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "false")
    with pytest.raises(BuildError, match=r"false .* failed"):
        shim.build(tmp_path)
    assert list(tmp_path.glob("*.so")) == []


def test_the_cache_is_the_users(tmp_path: Path) -> None:
    found = shim.cache_folder({"XDG_CACHE_HOME": str(tmp_path)})
    assert found == tmp_path / "voiceroom" / "driftlab"
    relative = shim.cache_folder({"XDG_CACHE_HOME": "not/absolute"})
    assert relative == Path.home() / ".cache" / "voiceroom" / "driftlab"
