"""Control's event loop is blocked: media names it meanwhile, status and metrics afterwards."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.listening import until
from harness.mixer import Mixer, running
from voiceroom_driftlab.real.inside import DOOR_ENV, Door
from voiceroom_driftlab.real.process import HOOK
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge import shm
from voiceroom_mixer.edge.shm import Segment

MS = 1_000_000
BLOCKED_MS = 5_000
NAMED_S = 4.0
"""Well before the block is over; it takes 0.3 s where the machine is calm."""


@pytest.fixture
def mixer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mixer]:
    monkeypatch.setenv("PYTHONPATH", str(HOOK))
    monkeypatch.setenv(DOOR_ENV, str(tmp_path))
    with running(tmp_path) as mixer:
        yield mixer


def segment_of(mixer: Mixer) -> Segment:
    for entry in Path(f"/proc/{mixer.process.pid}/fd").iterdir():
        if os.readlink(entry).startswith("/memfd:voiceroom-media-0"):
            return shm.attach(os.open(entry, os.O_RDWR | os.O_CLOEXEC))
    raise AssertionError("the mixer has no shared memory")


def said(segment: Segment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(segment.tables["reports"].read(layout.REPORT_LOOP) or b"{}")
    return found


def answers_within(mixer: Mixer, seconds: float) -> bool:
    address = urlsplit(mixer.base)
    with socket.create_connection((address.hostname, address.port), seconds) as door:
        door.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            return bool(door.recv(1))
        except TimeoutError:
            return False


@pytest.mark.timing
def test_a_blocked_loop_is_named_while_it_is_blocked(mixer: Mixer, tmp_path: Path) -> None:
    segment = segment_of(mixer)
    until(lambda: bool(segment.word("control_beat_ns")), what="control does not beat")
    with closing(Door(tmp_path)) as door:
        order = {"act": "block", "place": "control", "every": 10_000, "ns": BLOCKED_MS * MS}
        door.order(mixer.pids()["voiceroom-control"], order | {"lasts_ns": 500 * MS})
        until(lambda: said(segment).get("verdict") == "loop-block", NAMED_S, "it is not named")
        assert not answers_within(mixer, 0.1)
        done = door.answer(20.0)
    assert done["events"] == 1
    metrics = mixer.metrics()
    for name in ("voiceroom_drift_cause", "voiceroom_loop_cause"):
        assert metrics[f'{name}{{cause="loop-block"}}'] == 1
    assert metrics['voiceroom_drift_faults_total{cause="loop-block"}'] == 1
    verdict = said(segment)
    assert abs(verdict["sinceNs"] - done["first_ns"]) < 250 * MS
    overdue = next(e for e in verdict["evidence"] if e["name"] == "control's heartbeat overdue")
    assert overdue["value"] >= 200
    until(lambda: said(segment)["verdict"] is None, what="the verdict does not end")
    assert "the event loop stands still" in mixer.stderr()
