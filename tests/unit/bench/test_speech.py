"""The sound by which mouth-to-ear is measured."""

from __future__ import annotations

import numpy as np
from bench import speech


def test_bursts_stand_out_of_their_bed() -> None:
    pcm = speech.burst_pcm()
    power = np.sqrt((pcm[: len(pcm) // 48 * 48].reshape(-1, 48) ** 2).mean(1))
    loud = power > 0.1
    onsets = np.flatnonzero(loud[1:] & ~loud[:-1])
    assert len(onsets) == speech.MARKS_BURSTS
    assert power[~loud].max() < 0.08
    assert power[loud].max() < 0.5


def test_bursts_fall_anywhere_in_a_frame() -> None:
    at = np.array([(n + 0.5) * speech.BURST_EVERY for n in range(speech.MARKS_BURSTS)])
    places = np.unique(np.round(at * 1000 % 20).astype(int))
    assert len(places) > 10
