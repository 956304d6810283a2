"""The node's clock probe tells a running mixer of a wait for a CPU."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from harness.listening import until
from harness.mixer import Mixer, running
from voiceroom_mixer.clockprobe.latency.processes import LOCAL, MediaProcess, tell
from voiceroom_mixer.edge.alarms import SIGNAL

pytestmark = pytest.mark.timeout(120)
ALARMS = "voiceroom_scheduling_alarms_total"


def test_an_alarm_is_counted_and_the_last_ticks_stand_in_the_log(tmp_path: Path) -> None:
    with running(tmp_path, "--log-format", "json") as mixer:
        media = mixer.pids()["voiceroom-media"]
        until(lambda: tell(MediaProcess(media, LOCAL)), what="it never handles the signal")
        until(lambda: mixer.metrics()[ALARMS] == 1, what="it is not counted")
        until(lambda: "its last ticks" in mixer.stderr(), what="nothing is logged")
        line = next(text for text in mixer.stderr().splitlines() if "its last ticks" in text)
        said = json.loads(line)
        assert (said["alarms"], said["media"]) == (1, 0)
        slots = [row[said["fields"].index("slot")] for row in said["ticks"]]
        assert slots == sorted(slots)
        assert len(slots) > 1
        assert mixer.pids()["voiceroom-media"] == media


def children(mixer: Mixer) -> list[int]:
    """Of the keeper: both processes, the clock probe and the two spares."""
    pid = mixer.process.pid
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_nobody_dies_of_it_who_starts_or_waits_for_his_turn(mixer: Mixer) -> None:
    until(lambda: len(children(mixer)) == 5, 30.0, "not all are there")
    everybody = children(mixer)
    media = mixer.pids()["voiceroom-media"]
    for pid in everybody:
        os.kill(pid, SIGNAL)
    os.kill(media, signal.SIGKILL)
    until(lambda: mixer.pids().get("voiceroom-media", media) != media, what="no heir")
    heir = mixer.pids()["voiceroom-media"]
    assert heir in everybody, "a spare that has had the signal"
    until(lambda: tell(MediaProcess(heir, LOCAL)), what="it never handles the signal")
    assert set(everybody) - {media} <= set(children(mixer))
