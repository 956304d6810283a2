"""Whether control stood still as well, when media comes to look after a stall."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.layout import Capacity
from voiceroom_mixer.core.timing.histogram import histograms
from voiceroom_mixer.edge import shm
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.watch import Watch

MS = 1_000_000
FRAME_NS = 20 * MS


@pytest.fixture
def segment() -> Iterator[Segment]:
    fd = os.memfd_create("watch")
    yield shm.attach(fd, Capacity(rooms=4, legs=4, events=4, revoked=4))
    os.close(fd)


class Media:
    """A watch whose process looks when it is told to."""

    def __init__(self, segment: Segment) -> None:
        self.now_ns = 10_000 * MS
        self.segment = segment
        waits = histograms(segment.counters)["run_delay"]
        self.watch = Watch(segment, Board(segment), [], [], waits, monotonic=lambda: self.now_ns)

    def silent_ms(self, at_ms: int) -> float:
        """How long control was silent, as a look at that moment finds it."""
        self.now_ns = (10_000 + at_ms) * MS
        return self.watch.look(self.now_ns, FRAME_NS).others_silent_ns / MS

    def beat(self, at_ms: int, after_ms: int = 0) -> None:
        """Control's; ``after_ms``: the silence that it ends."""
        now_ns = (10_000 + at_ms) * MS
        if after_ms:
            self.segment.set_word("control_gap_ns", after_ms * MS)
            self.segment.set_word("control_gap_end_ns", now_ns)
        self.segment.set_word("control_beat_ns", now_ns)


def test_beats_that_media_did_not_look_at_are_no_silence(segment: Segment) -> None:
    media = Media(segment)
    media.beat(0)
    assert media.silent_ms(10) == 10
    for at_ms in range(50, 350, 50):
        media.beat(at_ms)
    assert media.silent_ms(310) == 10


def test_a_silence_that_a_beat_has_ended_since_the_last_look_is_told_once(
    segment: Segment,
) -> None:
    media = Media(segment)
    media.beat(0)
    media.silent_ms(10)
    media.beat(300, after_ms=300)
    assert media.silent_ms(305) == 300
    assert media.silent_ms(325) == 25


def test_a_silence_that_goes_on_counts_so_far(segment: Segment) -> None:
    media = Media(segment)
    media.beat(0)
    assert media.silent_ms(400) == 400


def test_before_the_first_beat_nothing_is_known(segment: Segment) -> None:
    assert Media(segment).silent_ms(400) == 0


def test_the_words_are_in_every_segment() -> None:
    assert {"control_gap_ns", "control_gap_end_ns"} <= set(layout.HEADER_WORDS)
