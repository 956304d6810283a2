"""What is kept of one sender between his packets: the figures of his stream, and where it stands.

This is all that a silent packet changes, so a batch of them can be counted by compiled code that
holds the same fields (``native/rx.py``); here they are plain Python.
"""

from __future__ import annotations

from typing import Final

from voiceroom_mixer.core.rtp.reception import Reception, ReceptionFigures

NO_SSRC: Final = -1


class StreamFigures(ReceptionFigures):
    """Fields of a stream over those of its reception."""

    ssrc: int
    """That is believed; ``NO_SSRC`` before the first packet."""
    octets: int
    """Payload bytes of ``ssrc``."""
    window_end_ns: int
    """Arrivals from here on begin another window of transit."""
    prior: bytes
    """Payload of the latest packet without sound while nothing is played; b"" when there is none
    that could warm a decoder up."""
    prior_stamp: int
    """Extended timestamp of the latest packet that was of use."""
    awake: bool
    """The sender is being played, or was when his latest packet was looked at."""

    # The authentic stream below, which is another one while a new SSRC is on probation.
    rx_ssrc: int
    rx_index: int
    """Highest extended sequence number that was authentic; -1 before the first."""
    resume_index: int
    """After a restart: packets up to here were played already and are refused."""
    wrap_tries: int
    last_rx_ns: int
    """CLOCK_MONOTONIC of the drain that brought something authentic."""
    heard: bool
    context: int
    """Address of libsrtp's receiving session; 0 without keys."""
    secure: bool
    sends: bool
    payload_type: int
    level_ext: int

    def leave(self) -> None:
        """The leg is gone: nothing of its stream is published any more."""
        self.context = 0

    def clear(self) -> None:
        """As before the first packet of a new leg."""
        self.begin(0, 0, 0)
        self.ssrc, self.octets, self.window_end_ns = NO_SSRC, 0, 0
        self.prior, self.prior_stamp, self.awake = b"", 0, False
        self.rx_ssrc, self.rx_index, self.resume_index = 0, -1, -1
        self.wrap_tries = self.last_rx_ns = self.context = 0
        self.heard = self.secure = self.sends = False
        self.payload_type = self.level_ext = 0


class Stream(Reception, StreamFigures):
    """A stream whose fields are held and counted in Python."""

    __slots__ = (
        "awake",
        "context",
        "heard",
        "last_rx_ns",
        "level_ext",
        "octets",
        "payload_type",
        "prior",
        "prior_stamp",
        "resume_index",
        "rx_index",
        "rx_ssrc",
        "secure",
        "sends",
        "ssrc",
        "window_end_ns",
        "wrap_tries",
    )

    def __init__(self) -> None:
        super().__init__(0, 0, 0)
        self.clear()
