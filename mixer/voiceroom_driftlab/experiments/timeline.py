"""A capture and a mixer's log as one timeline (S3.2): what was on the wire when a jitter buffer
went without a refill."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from voiceroom_api.units import NS_PER_MS, SAMPLES_PER_MS, extend_seq, timestamp_diff
from voiceroom_driftlab.experiments.capture import Rtp

GAP_NS: Final = 150 * NS_PER_MS
"""The article's `rtp.time_delta`."""
EVENT: Final = "JB refill timeout"
_NEAR_NS: Final = 10_000 * NS_PER_MS
"""The log's word comes up to a second after the event; clocks of hosts differ as well."""
_LEAST_PACKETS: Final = 3
"""Of fewer with one SSRC it is not known that they are RTP."""
_PAUSE_SHARE: Final = 0.8
_ARTICLE_JUMP: Final = 3
"""Sequence number N+1 comes while last_seq is N-2."""


class Refill(NamedTuple):
    """One ``JB refill timeout`` of the log."""

    at_ns: int
    ssrc: int | None
    """None in logs of mixers that did not tell it."""
    last_seq: int
    size_ms: int
    target_ms: int
    leg: str


class Line(NamedTuple):
    """One line of the timeline."""

    at_ns: int
    source: str
    """``capture`` or ``log``."""
    ssrc: int | None
    seq: int
    what: str
    flagged: bool


@dataclass(slots=True)
class Stream:
    """One SSRC's packets in the order captured."""

    ssrc: int
    packets: list[Rtp] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Extended sequence numbers, beside ``packets``."""

    def add(self, packet: Rtp) -> None:
        """The next one that was captured."""
        number = extend_seq(packet.seq, self.numbers[-1]) if self.numbers else packet.seq
        self.packets.append(packet)
        self.numbers.append(number)


def streams(packets: Iterable[Rtp]) -> dict[int, Stream]:
    """By SSRC."""
    found: dict[int, Stream] = {}
    for packet in packets:
        found.setdefault(packet.ssrc, Stream(packet.ssrc)).add(packet)
    return {ssrc: one for ssrc, one in found.items() if len(one.packets) >= _LEAST_PACKETS}


def refills(text: str, name: str) -> list[Refill]:
    """The timeouts of a log in JSON, a line an object; other lines are left out, also those that
    are no JSON (a pod's log begins with some). Raises ``ValueError`` where an event lacks a field,
    naming line and field."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if EVENT in line:
            found.append(_refill(line, f"{name}, line {number}"))
    return found


def _refill(line: str, where: str) -> Refill:
    try:
        value: dict[str, Any] = json.loads(line)
        at = datetime.fromisoformat(value["time"])
        ssrc = value.get("ssrc")
        return Refill(
            round(at.timestamp() * 1_000) * NS_PER_MS, None if ssrc is None else int(ssrc),
            int(value["last_seq"]), int(value["size_ms"]), int(value["target_ms"]),
            str(value.get("leg", "")),
        )  # fmt: skip
    except json.JSONDecodeError:
        raise ValueError(f"{where} is no JSON: run the mixer with --log-format json") from None
    except KeyError as error:
        raise ValueError(f"{where}: the field {error} is missing") from None


def timeline(of: dict[int, Stream], events: Sequence[Refill]) -> list[Line]:
    """Gaps and losses on the wire and timeouts of the log, by time."""
    lines = [line for stream in of.values() for line in _wire(stream)]
    lines += [_joined(event, of) for event in events]
    return sorted(lines, key=lambda line: line.at_ns)


def _wire(stream: Stream) -> Iterable[Line]:
    pairs = zip(stream.packets, stream.packets[1:], strict=False)
    came = set(stream.numbers)
    for index, (before, packet) in enumerate(pairs):
        number, highest = stream.numbers[index + 1], stream.numbers[index]
        delta_ns = packet.at_ns - before.at_ns
        missing = [n for n in range(highest + 1, number) if n not in came]
        paused = number == highest + 1 and _is_pause(before, packet, delta_ns)
        if missing or (delta_ns > GAP_NS and not paused):
            what = f"{delta_ns / NS_PER_MS:.0f} ms after seq {before.seq}"
            what += f", {len(missing)} lost" if missing else ", none lost"
            yield Line(packet.at_ns, "capture", stream.ssrc, packet.seq, what, delta_ns > GAP_NS)


def _is_pause(before: Rtp, packet: Rtp, delta_ns: int) -> bool:
    """The sender's own silence (DTX): his timestamps went on as long as nothing came."""
    said_ns = timestamp_diff(packet.timestamp, before.timestamp) * NS_PER_MS // SAMPLES_PER_MS
    return said_ns >= _PAUSE_SHARE * delta_ns


def _joined(event: Refill, of: dict[int, Stream]) -> Line:
    places = [
        (stream, index)
        for stream in of.values()
        if event.ssrc in (None, stream.ssrc) and (index := _place(event, stream)) is not None
    ]
    told = f"{EVENT}: size={event.size_ms}, target={event.target_ms}, last_seq={event.last_seq}"
    if len(places) != 1:
        why = "no packet of that number" if not places else f"{len(places)} streams fit"
        return Line(event.at_ns, "log", event.ssrc, event.last_seq, f"{told}; {why}", False)
    stream, index = places[0]
    what, flagged = _cause(stream, index)
    return Line(event.at_ns, "log", stream.ssrc, event.last_seq, f"{told}; {what}", flagged)


def _place(event: Refill, stream: Stream) -> int | None:
    """Where its last packet stands in the stream: the latest of that number near in time."""
    for index in range(len(stream.packets) - 1, -1, -1):
        packet = stream.packets[index]
        near = abs(event.at_ns - packet.at_ns) <= _NEAR_NS
        if packet.seq == event.last_seq and near:
            return index
    return None


def _cause(stream: Stream, index: int) -> tuple[str, bool]:
    """What the wire had after the last packet that the buffer had taken."""
    if index + 1 == len(stream.packets):
        return "nothing came after it: the sender or the path stopped", True
    packet, following = stream.packets[index], stream.packets[index + 1]
    jump = stream.numbers[index + 1] - stream.numbers[index]
    delta_ms = (following.at_ns - packet.at_ns) / NS_PER_MS
    came = f"the next on the wire was seq {following.seq} after {delta_ms:.0f} ms"
    if jump > 1:
        rule = " (N+1 while last_seq is N-2)" if jump == _ARTICLE_JUMP else ""
        return f"{came}: {jump - 1} lost{rule}", True
    if delta_ms * NS_PER_MS > GAP_NS:
        paused = _is_pause(packet, following, following.at_ns - packet.at_ns)
        why = "the sender paused, his timestamps went on" if paused else "the path stalled"
        return f"{came}: {why}", True
    return f"{came}: it came and was not taken, look at the mixer", True
