"""A mixer whose stderr is a full pipe that nobody reads: calls, joins and restarts go on."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.faults import kill
from harness.listening import until, until_heard
from harness.mixer import Mixer, running
from harness.party import Party, gathering

JOIN_S = 1.0
"""A join takes tens of milliseconds."""
PATIENCE_S = 15.0


class Pipe:
    """Where the mixer's stderr goes."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def fill(self) -> None:
        """Until not one byte more can be written."""
        for size in (4096, 1):
            with suppress(BlockingIOError):
                while True:
                    os.write(self.fd, b"." * size)

    def read_until(self, *words: str) -> str:
        """What is written, from now on, up to where each of these was."""
        text, until_s = "", time.monotonic() + PATIENCE_S
        while not all(word in text for word in words):
            assert select.select([self.fd], [], [], until_s - time.monotonic())[0], text[-2_000:]
            text += os.read(self.fd, 65_536).decode()
        return text


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    made = Pipe(tmp_path / "stderr.log")
    yield made
    os.close(made.fd)


@pytest.fixture
def unheard(pipe: Pipe, tmp_path: Path) -> Iterator[Mixer]:
    """From its start on it cannot say a word."""
    with running(tmp_path) as mixer:
        pipe.fill()
        yield mixer
        pipe.read_until("")


def join_s(party: Party, name: str, hz: float | None = None) -> float:
    begun_s = time.monotonic()
    party.join_when_possible(hz, name)
    return time.monotonic() - begun_s


@pytest.mark.timing
def test_people_join_and_processes_start_anew_though_nobody_takes_the_log(
    unheard: Mixer, pipe: Pipe
) -> None:
    with gathering(unheard) as party:
        talker = party.join(440.0, "talker")
        assert join_s(party, "first") < JOIN_S
        for number in range(60):  # refused one after the other, a line each
            unheard.call("GET", f"/rooms/lobby?token=wrong-{number}")
        kill(unheard, "voiceroom-media")  # the keeper's line about it
        listener = party.join_when_possible(1_100.0, "after media")
        until_heard(listener, 440.0)
        kill(unheard, "voiceroom-control")
        until(lambda: _answers(unheard), what="control did not come back")
        assert join_s(party, "after control") < JOIN_S
        until_heard(talker, 1_100.0)
        assert unheard.metrics()["voiceroom_log_dropped_total"] == 0
        said = pipe.read_until("voiceroom-media was killed", "voiceroom-control was killed")
        assert said.index("voiceroom-media was killed") < said.index("voiceroom-control was killed")


def _answers(mixer: Mixer) -> bool:
    with suppress(OSError):
        return mixer.call("GET", "/readyz")[0] == 200
    return False
