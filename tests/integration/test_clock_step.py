"""A clock of the mixer's processes reads wrong in the middle of a call, by a preloaded library.

The kernel's sleeps stay true, as under a patched vDSO. A listener counts the frames.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.listening import until, until_heard
from harness.mixer import PATIENT, Mixer, running
from harness.party import gathering
from harness.rtp import FRAME, Heard, RtpLeg
from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.torture import skew

HELD_S = 3.0
MAY_LACK = 5
"""Frames: what detection may take, and what a busy machine takes besides."""
LEARNT_S = 1.0
FAULTS = "voiceroom_drift_faults_total"


@contextmanager
def skewed(folder: Path) -> Iterator[tuple[Mixer, skew.Skew]]:
    """A mixer whose clocks can be made to read wrong."""
    with skew.skew() as clocks:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in clocks.env.items():
                patch.setenv(name, value)
            start = running(folder, documents=PATIENT)
            mixer = start.__enter__()
        try:
            yield mixer, clocks
        finally:
            start.__exit__(None, None, None)


def wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, seconds + 10)


def heard_while(ear: RtpLeg, seconds: float) -> list[Heard]:
    """What comes in so many seconds."""
    begun = len(ear.heard)
    wait(seconds)
    return ear.heard[begun:]


def lacking(packets: list[Heard]) -> int:
    """Frames that were passed over, by timestamps; numbers and the source go on."""
    steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)]
    assert {(b.seq - a.seq) % 2**16 for a, b in itertools.pairwise(packets)} == {1}
    assert len({packet.ssrc for packet in packets}) == 1
    assert all(step % FRAME == 0 for step in steps)
    return sum(steps) // FRAME - len(steps)


def claimed(mixer: Mixer, cause: str) -> float:
    return mixer.metrics()[f'{FAULTS}{{cause="{cause}"}}']


CLOCKS = {"monotonic": skew.MONOTONIC, "all": skew.ALL}


@pytest.mark.timing
@pytest.mark.parametrize("offset_ms", [50, -50])
@pytest.mark.parametrize("clocks", CLOCKS)
def test_a_reading_that_steps_is_named_and_costs_no_more_than_a_few_frames(
    tmp_path: Path, clocks: str, offset_ms: int
) -> None:
    kind = "step-all" if clocks == "all" else "step-one"
    with skewed(tmp_path) as (mixer, false), gathering(mixer) as party:
        party.join(440.0, "mouth")
        ear = party.join(None, "ear")
        until_heard(ear, 440.0)
        wait(LEARNT_S)
        false.set(CLOCKS[clocks], offset_ms * NS_PER_MS)
        stepped = heard_while(ear, HELD_S)
        assert lacking(stepped) <= MAY_LACK
        until(lambda: claimed(mixer, kind) >= 1, 5, "the step is not named")
        error_s = mixer.metrics()["voiceroom_clock_error_seconds"]
        false.end()
        righted = heard_while(ear, HELD_S)
        assert lacking(righted) <= MAY_LACK
        for packets in (stepped, righted):
            assert len(packets) >= HELD_S * 50 - MAY_LACK
        assert error_s == pytest.approx(abs(offset_ms) / 1000, abs=0.001)
        assert mixer.metrics()["voiceroom_clock_error_seconds"] < 0.001
        until_heard(ear, 440.0)


@pytest.mark.timing
def test_a_short_false_reading_and_a_saw_cost_no_more(tmp_path: Path) -> None:
    with skewed(tmp_path) as (mixer, false), gathering(mixer) as party:
        party.join(440.0, "mouth")
        ear = party.join(None, "ear")
        until_heard(ear, 440.0)
        begun = len(ear.heard)
        for _ in range(10):
            false.set(skew.MONOTONIC, 50 * NS_PER_MS)
            wait(0.03)
            false.end()
            wait(0.15)
        for _ in range(3):
            false.set(skew.MONOTONIC, ppm=50_000)
            wait(0.6)
        false.end()
        wait(0.2)
        assert lacking(ear.heard[begun:]) <= MAY_LACK


@pytest.mark.timing
def test_a_stop_under_a_false_reading_is_still_late_and_a_freeze(tmp_path: Path) -> None:
    with skewed(tmp_path) as (mixer, false), gathering(mixer) as party:
        party.join(440.0, "mouth")
        ear = party.join(None, "ear")
        until_heard(ear, 440.0)
        wait(LEARNT_S)
        false.set(skew.MONOTONIC, 50 * NS_PER_MS)
        until(lambda: claimed(mixer, "step-one") >= 1, 5, "the step is not named")
        wait(LEARNT_S)
        before, begun = claimed(mixer, "freeze"), len(ear.heard)
        media = mixer.pids()["voiceroom-media"]
        os.kill(media, signal.SIGSTOP)
        try:
            wait(0.2)
        finally:
            os.kill(media, signal.SIGCONT)
        until(lambda: claimed(mixer, "freeze") > before, 5, "the stop is not named")
        assert lacking(ear.heard[begun - 1 :]) >= 7
        assert mixer.metrics()["voiceroom_tick_lateness_max_seconds"] > 0.15
