"""Media's look at control: the words of the segment, the kernel's books, the report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.layout import Capacity
from voiceroom_mixer.core.timing.detect.observations import Accounts, Tick
from voiceroom_mixer.edge import clock, shm
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.controlwatch import ControlWatch

MS = 1_000_000
FRAME_NS = 20 * MS
BOOKS = Accounts(0, 0, 0, 0, 0, 0)
TICK = Tick(0, 0, 0, 3 * MS, FRAME_NS, 0, BOOKS)


@pytest.fixture
def segment() -> Iterator[Segment]:
    fd = os.memfd_create("watch")
    yield shm.attach(fd, Capacity(rooms=4, legs=4, events=4, revoked=4))
    os.close(fd)


def said(segment: Segment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(segment.tables["reports"].read(layout.REPORT_LOOP) or b"{}")
    return found


def silent(watch: ControlWatch, ms: int) -> None:
    """Control beats no more while so much is mixed, but its witness goes on."""
    for _ in range(ms * MS // FRAME_NS):
        word = watch._segment.word("control_witness_ns") + FRAME_NS
        watch._segment.set_word("control_witness_ns", word)
        watch.look(TICK)


def test_a_real_process_that_beats_no_more_is_named_and_one_that_ends_is_not(
    segment: Segment,
) -> None:
    waits = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as control:
        assert control.stdout is not None
        control.stdout.readline()  # what its start takes of a CPU is behind it
        segment.set_word("control_pid", control.pid)
        segment.set_word("control_beat_ns", 7_000 * MS)
        watch = ControlWatch(segment)
        watch.start()
        watch.look(TICK)
        assert said(segment)["verdict"] is None
        watch._segment.set_word("control_witness_ns", 7_000 * MS)
        silent(watch, 400)
        assert said(segment)["verdict"] == "loop-block"
        assert said(segment)["sinceNs"] == 7_050 * MS
    assert clock.cpu_of_process_ns(control.pid) is None
    silent(watch, 3_000)
    assert said(segment) | {"raised": {}} == {
        "verdict": None,
        "evidence": [],
        "also": [],
        "raised": {},
    }
    assert said(segment)["raised"]["loop-block"] == 1


def test_a_media_process_goes_on_with_the_counts_of_its_predecessor(segment: Segment) -> None:
    before = {"verdict": "gil", "raised": {"gil": 3}}
    segment.tables["reports"].write(layout.REPORT_LOOP, json.dumps(before).encode())
    ControlWatch(segment).start()
    assert said(segment)["verdict"] is None
    assert said(segment)["raised"]["gil"] == 3


@pytest.mark.parametrize(("state", "stopped"), [("T", True), ("S", False)])
def test_who_is_stopped_is_known_by_the_kernels_word(
    segment: Segment, tmp_path: Path, state: str, stopped: bool
) -> None:
    task = tmp_path / f"proc/{os.getpid()}/task/{os.getpid()}"
    task.mkdir(parents=True)
    (task / "schedstat").write_text("5 6 7\n")
    (task.parent.parent / "stat").write_text(f"{os.getpid()} (a ) b) {state} 1 2\n")
    segment.set_word("control_pid", os.getpid())
    watch = ControlWatch(segment, tmp_path)
    watch.look(TICK)
    books = watch._read()
    assert books is not None
    assert books[1] is stopped
    assert (books[0].thread_cpu_ns, books[0].run_delay_ns, books[0].slices) == (5, 6, 7)


def test_the_cpu_time_of_a_process_is_the_kernels() -> None:
    before_ns = clock.process_cpu_ns()
    found_ns = clock.cpu_of_process_ns(os.getpid())
    assert found_ns is not None
    assert before_ns <= found_ns <= clock.process_cpu_ns()
