"""Looking where another process is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from voiceroom_mixer.control import stacks
from voiceroom_mixer.control.stacks import StacksError

BUSY = """
from voiceroom_mixer.edge import stacks
def deep_in_thought():
    print(stacks.offer(), flush=True)
    while True:
        pass
deep_in_thought()
"""


@pytest.fixture
def busy() -> Iterator[tuple[int, int]]:
    """A process that never comes back to its loop: pid and what it offers."""
    process = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_one_that_hangs_shows_where_each_time_anew(busy: tuple[int, int]) -> None:
    for _ in range(3):
        text = asyncio.run(stacks.ask(*busy))
        assert text.count("in deep_in_thought") == 1
        assert text.count("most recent call first") == 1


def test_one_that_offers_nothing_is_left_in_peace() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        with pytest.raises(StacksError, match="does not offer"):
            asyncio.run(stacks.ask(process.pid, 0))
        assert process.poll() is None
        process.kill()


def test_one_that_has_ended_or_is_stopped_is_told_apart(busy: tuple[int, int]) -> None:
    os.kill(busy[0], signal.SIGSTOP)
    with pytest.raises(StacksError, match="may be stopped"):
        asyncio.run(stacks.ask(*busy))
    with pytest.raises(StacksError, match="cannot be looked into"):
        asyncio.run(stacks.ask(2**22 + 1, 3))
