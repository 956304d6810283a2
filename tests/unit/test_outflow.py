"""Text that nobody takes: who writes goes on, what is lost is counted and said in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from voiceroom_mixer.outflow import Outflow, Stream

PATIENCE_S = 10.0
LINE = "x" * 99 + "\n"


class Pipe:
    """Full: nothing can be written until it is read."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        self.filled = 0
        try:
            while True:
                self.filled += os.write(self.writer, b"." * 4096)
        except BlockingIOError:
            os.set_blocking(self.writer, True)

    def read(self, outflow: Outflow) -> str:
        """Everything, once all is written."""
        text = b""
        while not text.endswith(b"END\n"):
            text += os.read(self.reader, 65_536)
        assert outflow.drain(PATIENCE_S)
        return text.decode()[self.filled :]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    os.close(made.reader)
    os.close(made.writer)


def test_nobody_waits_and_what_is_lost_is_said_where_it_is_missing(pipe: Pipe) -> None:
    outflow = Outflow(pipe.writer, lambda dropped: f"[{dropped} lost]\n", limit=1_000)
    taken = [outflow.put(LINE) for _ in range(15)]
    assert taken == [True] * 10 + [False] * 5
    assert outflow.dropped == 5
    assert not outflow.drain(0.0)
    assert os.read(pipe.reader, pipe.filled) == b"." * pipe.filled
    pipe.filled = 0
    assert outflow.drain(PATIENCE_S)
    outflow.put("END\n")
    assert pipe.read(outflow) == LINE * 10 + "[5 lost]\nEND\n"
    assert outflow.dropped == 5


def test_last_words_have_space_in_reserve(pipe: Pipe) -> None:
    outflow = Outflow(pipe.writer, limit=1_000)
    usual, last = outflow.stream(), Stream(outflow, pipe.writer, last_words=True)
    for _ in range(12):
        usual.write(LINE)
    last.write("Traceback\n")
    last.write("END\n")
    said = pipe.read(outflow)
    assert said == LINE * 10 + "2 lines were dropped here: nobody took them\nTraceback\nEND\n"


def test_what_cannot_be_written_is_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voiceroom_mixer.outflow._RETRY_MS", 0)
    full = os.open("/dev/full", os.O_WRONLY)
    outflow = Outflow(full)
    outflow.put(LINE)
    assert outflow.drain(PATIENCE_S)
    assert outflow.dropped == 1
    os.close(full)


CRASH = """
from voiceroom_mixer import outflow
log = outflow.take_over()
for n in range(1000):
    log.stream().write(f"line {n}\\n")
raise RuntimeError("the end")
"""


def test_the_last_words_of_a_crash_come_after_all_lines_before_it() -> None:
    ended = subprocess.run([sys.executable, "-c", CRASH], stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert lines[:1000] == [f"line {n}" for n in range(1000)]
    assert lines[-1] == "RuntimeError: the end"


def test_a_crash_that_nobody_listens_to_ends_all_the_same(pipe: Pipe) -> None:
    crash = subprocess.Popen([sys.executable, "-c", CRASH], stderr=pipe.writer)
    assert crash.wait(PATIENCE_S) == 1


MEDIA = """
from voiceroom_mixer.edge import lastwords
lastwords.GIVE_UP_S = 0.1
lastwords.bound()
class Broken:
    def __del__(self):
        raise ValueError("ends nothing")
Broken()
raise RuntimeError("the end")
"""


def test_media_ends_though_nobody_takes_its_traceback(pipe: Pipe) -> None:
    media = subprocess.Popen([sys.executable, "-c", MEDIA], stderr=pipe.writer)
    assert media.wait(PATIENCE_S) == -14  # SIGALRM


def test_media_says_what_is_wrong_where_it_is_taken() -> None:
    media = subprocess.run([sys.executable, "-c", MEDIA], stderr=subprocess.PIPE, text=True)
    assert media.returncode == 1
    assert "ValueError: ends nothing" in media.stderr
    assert media.stderr.endswith("RuntimeError: the end\n")
