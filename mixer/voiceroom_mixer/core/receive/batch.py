"""Frames of several senders in one go, where a kernel can do that quicker than one by one.

A source that sees an ordinary frame coming (the packet that is due is there, in order) says so in
``plan``; the batch is run; ``settle`` takes in what came of it. Whatever is not ordinary (loss, a
pause, a sender that was passed over) is pulled as ever, and what a batch makes is what ``pull``
would have made, to the last bit or the one before it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Protocol, runtime_checkable

from voiceroom_mixer.core.mix.resample import FractionalResampler
from voiceroom_mixer.core.receive.decoder import Decoder
from voiceroom_mixer.core.receive.jitter import Packet
from voiceroom_mixer.core.receive.source import AudioSource, FrameKind, Pcm


class PullStatus(IntEnum):
    """What came of one row."""

    PULLED = 0
    """The frame is there."""
    UNDECODABLE = 1
    """Nothing was changed: the packet is not one."""
    SHORT = 2
    """The packet was decoded, and is shorter than the frame."""
    FULL = 3
    """Nothing was changed: the resampler has no room."""


class Pulled(NamedTuple):
    """One row of a batch that has been run. Lengths are in samples."""

    last_sample: float
    """Of what went into the resampler."""
    status: int
    """A ``PullStatus``."""
    decoded: int
    """Length of the packet; 0 when none was decoded."""
    level: int
    """-dBov of the packet."""
    adjusted: int
    """So many were left out of the packet; negative: said twice."""
    frame_level: int
    """-dBov of the frame; -1 when it was not finite, and is silence now."""
    frame_last: float
    """The frame's last sample."""


class PullBatch(Protocol):
    """Collects rows, then makes all their frames at once."""

    capacity: int
    """Most rows."""

    def add(
        self,
        out_address: int,
        decoder: Decoder,
        fifo: FractionalResampler,
        packet: Packet | None,
        excess: int,
        seam: bool,
        last_sample: float,
    ) -> bool:
        """Another row, its frame to be written to ``out_address``; False when this batch cannot do
        it. Numbers of ``fifo`` are brought forward by ``run``.

        ``packet``: to be decoded first, None where ``fifo`` holds enough. ``excess``: delay beyond
        the target in samples, to be got rid of where the packet is quiet. ``seam``: the packet does
        not go on where the last one ended, which was at ``last_sample``.
        """

    def run(self, samples: int) -> list[Pulled]:
        """Make the frames of all rows, in their order, and forget the rows."""


@runtime_checkable
class BatchSource(AudioSource, Protocol):
    """A source whose ordinary frames can be made by a batch."""

    def plan(self, batch: PullBatch, out_address: int, samples: int) -> bool:
        """Add the next frame to ``batch`` if it is an ordinary one; else it must be pulled."""

    def settle(self, pulled: Pulled, out: Pcm) -> FrameKind:
        """Take in what came of the row that ``plan`` added; ``out`` is whole after it."""
