"""What a leg hears, in decibels, and waiting for it to change."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

from harness.rtp import FRAME, Heard, RtpLeg, decode
from harness.tones import level_db

POLL = threading.Event()
"""Never set: what waits for it gives the senders of this process their turn."""
POLL_S = 0.005
AUDIBLE_DB = -30.0
ABSENT_DB = -60.0
WHOLE_DB = -15.0
"""Of a tone sent at -12 dBFS."""
WARM_UP = 5


def hears(leg: RtpLeg, hz: float, packets: int = 25) -> float:
    """Level of a tone in the next packets; the first of them only warm the decoder up."""
    return level_db(decode(leg.wait_packets(packets + WARM_UP))[WARM_UP * FRAME :], hz)


def until(condition: Callable[[], bool], timeout_s: float = 10.0, what: str = "") -> None:
    """Ask again and again."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        POLL.wait(POLL_S)


def until_heard(
    leg: RtpLeg, hz: float, timeout_s: float = 10.0, *, whole_db: float = WHOLE_DB
) -> None:
    """The tone is there, all of it."""
    until(lambda: hears(leg, hz, 10) > whole_db, timeout_s, f"{hz} Hz is not heard")


def until_silent(leg: RtpLeg, hz: float, timeout_s: float = 10.0) -> None:
    """The tone is gone."""
    until(lambda: hears(leg, hz, 10) < ABSENT_DB, timeout_s, f"{hz} Hz is still heard")


def loudness(packets: list[Heard], hz: float, frames: int = 5) -> list[float]:
    """Level of a tone in each span of so many frames; the first packets warm the decoder up."""
    pcm = decode(packets)[WARM_UP * FRAME :]
    step = frames * FRAME
    return [level_db(pcm[at : at + step], hz) for at in range(0, len(pcm) - step, FRAME)]


def longest_fade_ms(packets: list[Heard], hz: float) -> int:
    """The longest span of frames of 20 ms without the tone."""
    there = (level > AUDIBLE_DB - 10 for level in loudness(packets, hz, 1))
    rows = (len(list(row)) for is_there, row in itertools.groupby(there) if not is_there)
    return max(rows, default=0) * 20


def gaps(packets: list[Heard]) -> list[str]:
    """Where frames lack: how many by timestamp and by sequence number, and after how long."""
    return [
        f"before packet {n}: {((b.timestamp - a.timestamp) % 2**32 - FRAME) / FRAME:g} frames, "
        f"{(b.seq - a.seq - 1) % 2**16} numbers, {(b.at_ns - a.at_ns) / 1e6:.0f} ms"
        for n, (a, b) in enumerate(itertools.pairwise(packets), 1)
        if (b.timestamp - a.timestamp) % 2**32 != FRAME
    ]


def tone_is_whole(leg: RtpLeg, begun: int, hz: float) -> None:
    """Since packet ``begun`` no frame is missing, and the tone of -12 dBFS never fades."""
    packets = leg.heard[begun - WARM_UP :]
    assert not gaps(packets)
    assert min(loudness(packets, hz)) > WHOLE_DB, [round(x) for x in loudness(packets, hz)]


def goes_on(leg: RtpLeg, begun: int, hz: float) -> None:
    """Since packet ``begun`` it is one stream, at most a frame in a hundred of it is missing, and
    the tone is in it now. For calls of minutes, of which other work takes a tick now and then.
    """
    packets = leg.heard[begun:]
    steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)]
    assert len({packet.ssrc for packet in packets}) == 1
    assert sum(step != FRAME for step in steps) <= len(packets) / 100, set(steps)
    until_heard(leg, hz)
