"""``pcapcheck``: a capture and a mixer's log as one timeline (S3.2)."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.experiments import capture, timeline
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_driftlab.experiments.timeline import EVENT, Line, Refill, Stream

_SHOWN: Final = 200
"""Lines of the table; JSON has all."""
_DRAWN: Final = 6
"""Streams in the plot: those with the most lines."""
SAYS: Final = (
    "A refill timeout is cross-checked in Wireshark by rtp.time_delta > 150 ms, and by rtp.seq == "
    "N+1 while last_seq_rcvd == N-2: lost, and the retransmission failed."
)
HOLDS: Final = (
    "Wireshark has no field rtp.time_delta, and RTP audio has no retransmission. The rule holds: a "
    "gap on the wire is the network's, a jump of the sequence number is loss, and a packet that "
    "was on the wire in time and is not in the buffer is the mixer's own. A sender's silence (DTX) "
    "is no gap: his timestamps go on. Packets and log must be of the same clock, best of one host."
)


def run(options: argparse.Namespace, progress: Progress) -> Result:
    """Raises ``ValueError`` for files that are something else, ``OSError`` for none."""
    progress(f"reading {options.capture}")
    of = timeline.streams(capture.read(options.capture))
    if not of:
        raise ValueError(f"{options.capture} holds no RTP stream")
    text = options.log.read_text("utf-8", "replace") if options.log else ""
    return result(of, timeline.refills(text, str(options.log)))


def result(of: dict[int, Stream], events: Sequence[Refill]) -> Result:
    """From what was read."""
    lines = timeline.timeline(of, events)
    flagged = sum(line.flagged for line in lines)
    title = f"{len(of)} streams, {len(events)} of `{EVENT}`, {flagged} lines flagged (!)"
    if len(lines) > _SHOWN:
        title += f"; the first {_SHOWN} of {len(lines)} lines"
    header = ("time", "", "from", "ssrc", "seq", "what")
    return Result(
        "pcapcheck", "S3.2", SAYS, HOLDS,
        [Table(title, header, [_row(line) for line in lines[:_SHOWN]])],
        [_chart(of, lines)],
        {
            "streams": [{"ssrc": ssrc, "packets": len(one.packets)} for ssrc, one in of.items()],
            "flagged": flagged,
            "lines": [line._asdict() for line in lines],
        },
    )  # fmt: skip


def _row(line: Line) -> list[Cell]:
    at = datetime.fromtimestamp(line.at_ns / NS_PER_S, UTC).strftime("%H:%M:%S.%f")[:-3]
    ssrc = "" if line.ssrc is None else f"{line.ssrc:08x}"
    return [at, "!" if line.flagged else "", line.source, ssrc, str(line.seq), line.what]


def _chart(of: dict[int, Stream], lines: Sequence[Line]) -> Chart:
    """How long each packet came after the one before, and the timeouts."""
    start_ns = min(one.packets[0].at_ns for one in of.values())
    most = Counter(line.ssrc for line in lines if line.ssrc in of).most_common(_DRAWN)
    drawn = [ssrc for ssrc, _ in most if ssrc is not None] or list(of)[:_DRAWN]
    series = {f"{ssrc:08x}": _deltas(of[ssrc], start_ns) for ssrc in drawn}
    events = [
        ((line.at_ns - start_ns) / NS_PER_S, timeline.GAP_NS / NS_PER_MS)
        for line in lines
        if line.source == "log"
    ]
    if events:
        series["refill timeouts"] = events
    return Chart("After the packet before", "s", "ms", series, points=True)


def _deltas(stream: Stream, start_ns: int) -> list[tuple[float, float]]:
    pairs = zip(stream.packets, stream.packets[1:], strict=False)
    return [((b.at_ns - start_ns) / NS_PER_S, (b.at_ns - a.at_ns) / NS_PER_MS) for a, b in pairs]
