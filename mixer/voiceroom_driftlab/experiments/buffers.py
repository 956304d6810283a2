"""Jitter buffers over the same packets: the mixer's, one of 80 ms, and aiortc's."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from voiceroom_api.units import NS_PER_MS, SAMPLES_PER_MS, SEQ_MASK, TIMESTAMP_MASK
from voiceroom_driftlab.experiments.networks import PACKET_NS, Heard, Path
from voiceroom_driftlab.experiments.spread import Spread, spread
from voiceroom_mixer.core.receive.receiver import Receiver, ReceiverConfig, TickTime
from voiceroom_mixer.core.receive.source import Pcm

FRAME_SAMPLES: Final = 20 * SAMPLES_PER_MS
_PHASE_NS: Final = 7 * NS_PER_MS
"""Of the fastest packet to the tick behind it."""
_START_NS: Final = 5_000 * NS_PER_MS
FIXED_NS: Final = 80 * NS_PER_MS
_LOUD: Final = 20
_FIRST: Final = 20_000
"""The value of the first sample: far above all that is made up."""
_TURN: Final = 125 * FRAME_SAMPLES
_TICKS_PER_S: Final = 50
_PAYLOAD: Final = struct.Struct("!QI")
"""The packet's number, and as many bytes as a packet with sound has at least."""


class Frame(NamedTuple):
    """One tick's sound."""

    began: list[int]
    """The packets whose sound was first taken in it."""
    position: float
    """Of its beginning in the sender's sound, samples; good where nothing was made up."""
    made_up: float = 0.0
    """Share of it that is concealment, noise or nothing."""


NOTHING: Final = Frame([], 0.0, 1.0)


class Buffer(Protocol):
    """Takes packets, gives frames."""

    def push(self, heard: Heard) -> None:
        """A packet came."""

    def pull(self, now_ns: int) -> Frame:
        """A tick."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One buffer over one path."""

    wait_ms: Spread
    """From when the fastest path would have brought a packet until it was played."""
    end_wait_ms: float
    """The same at the end, over the last second: what has become of it."""
    made_up: float
    """Share of the sound that is concealment, noise or nothing, from the first sound on."""
    lost: float
    """Share of packets that the network lost."""
    unplayed: float
    """Share of packets that came and were never played."""
    series: list[tuple[float, float]]
    """(s, wait in ms)"""


class _Decoder:
    """Sound whose samples are their own positions within 2.5 s, so that what is heard tells when
    it was said. No further, as resampling may be wrong by 1 in 10,000 of a value. Concealment is
    silence."""

    def __init__(self) -> None:
        self.decoded: list[int] = []
        self._steps = np.arange(FRAME_SAMPLES) + _FIRST

    def decode(self, payload: bytes) -> Pcm:
        number = int(_PAYLOAD.unpack(payload)[0])
        self.decoded.append(number)
        return np.asarray(self._steps + number * FRAME_SAMPLES % _TURN, np.float32)

    def plc(self, samples: int) -> Pcm:
        return np.zeros(samples, np.float32)

    def fec(self, payload: bytes, samples: int) -> Pcm:
        return np.zeros(samples, np.float32)

    def packet_samples(self, payload: bytes) -> int:
        return FRAME_SAMPLES

    def has_fec(self, payload: bytes) -> bool:
        return False

    def reset(self) -> None:
        """It has no memory."""


class Ours:
    """The mixer's ``Receiver``, as a leg has it; without in-band FEC."""

    def __init__(self) -> None:
        self._decoder, self._tick = _Decoder(), TickTime()
        self._out = np.empty(FRAME_SAMPLES, np.float32)
        self._receiver = Receiver(ReceiverConfig(), self._decoder, 1, self._tick)
        self._steps = np.arange(FRAME_SAMPLES)

    def push(self, heard: Heard) -> None:
        number, arrival_ns = heard
        self._receiver.push(
            0x1234, number & SEQ_MASK, number * FRAME_SAMPLES & TIMESTAMP_MASK,
            _PAYLOAD.pack(number, 0), _LOUD, True, arrival_ns,
        )  # fmt: skip

    def pull(self, now_ns: int) -> Frame:
        self._tick.now_ns = now_ns
        self._receiver.pull(self._out)
        began, self._decoder.decoded = self._decoder.decoded, []
        real = self._out > _FIRST / 2
        if not real.any():
            return Frame(began, 0.0, 1.0)
        # The median: joins are smoothed over 5 ms, wherever in the frame they are.
        said = float(np.median((self._out - self._steps)[real])) - _FIRST
        now = (now_ns - _START_NS) * SAMPLES_PER_MS / NS_PER_MS
        return Frame(began, now - (now - said) % _TURN, 1.0 - float(real.mean()))


class Fixed:
    """The first packet plays 80 ms after it came, each other a frame after the last, or never."""

    def __init__(self) -> None:
        self._waiting: dict[int, int] = {}
        self._base_ns: int | None = None
        self._next: int | None = None

    def push(self, heard: Heard) -> None:
        if self._base_ns is None:
            self._base_ns = heard.arrival_ns - heard.number * PACKET_NS
            self._next = heard.number
        self._waiting[heard.number] = heard.arrival_ns

    def pull(self, now_ns: int) -> Frame:
        if self._base_ns is None or self._next is None:
            return NOTHING
        if now_ns < self._base_ns + FIXED_NS + self._next * PACKET_NS:
            return NOTHING
        number, self._next = self._next, self._next + 1
        came = self._waiting.pop(number, None) is not None
        return Frame([number], number * FRAME_SAMPLES) if came else NOTHING


class Aiortc:
    """aiortc's own ``JitterBuffer(16, 4)`` and the queue of its track, read once a tick."""

    def __init__(self) -> None:
        # Here, because importing it takes a while that the other experiments need not wait.
        from aiortc.jitterbuffer import JitterBuffer
        from aiortc.rtp import RtpPacket

        self._packet: Callable[..., Any] = RtpPacket
        self._buffer = JitterBuffer(capacity=16, prefetch=4)
        self._queue: deque[int] = deque()

    def push(self, heard: Heard) -> None:
        number = heard.number
        packet = self._packet(
            sequence_number=number & SEQ_MASK, timestamp=number * FRAME_SAMPLES & TIMESTAMP_MASK
        )
        packet._data = _PAYLOAD.pack(number, 0)
        _, frame = self._buffer.add(packet)
        if frame is not None:
            self._queue.append(int(_PAYLOAD.unpack(frame.data)[0]))

    def pull(self, now_ns: int) -> Frame:
        if not self._queue:
            return NOTHING
        number = self._queue.popleft()
        return Frame([number], number * FRAME_SAMPLES)


BUFFERS: Final[Mapping[str, Callable[[], Buffer]]] = {
    "ours": Ours,
    "fixed, 80 ms": Fixed,
    "aiortc": Aiortc,
}


def listen(buffer: Buffer, path: Path) -> Outcome:
    """Ticks each 20 ms until the last packet has come. Raises ``ValueError`` where nothing was
    ever played."""
    shift_ns = _START_NS - path.fastest_ns
    waits: list[tuple[float, float]] = []
    played: set[int] = set()
    made_up: list[float] = []
    queue = deque(path.heard)
    for tick in range(path.sent):
        now_ns = _START_NS + _PHASE_NS + tick * PACKET_NS
        while queue and queue[0].arrival_ns + shift_ns <= now_ns:
            number, arrival_ns = queue.popleft()
            buffer.push(Heard(number, arrival_ns + shift_ns))
        frame = buffer.pull(now_ns)
        played.update(frame.began)
        if not frame.made_up:
            said_ms = frame.position / SAMPLES_PER_MS
            waits.append((tick / _TICKS_PER_S, (now_ns - _START_NS) / NS_PER_MS - said_ms))
        if waits:
            made_up.append(frame.made_up)
    if not waits:
        raise ValueError(f"{path.name}: too short to play anything")
    return _outcome(path, waits, played, sum(made_up) / len(made_up))


def _outcome(
    path: Path, waits: list[tuple[float, float]], played: set[int], made_up: float
) -> Outcome:
    came = {one.number for one in path.heard}
    due = path.sent - _TICKS_PER_S  # what waits at the end is nobody's fault
    unplayed = sum(number not in played for number in came if number < due)
    last = [ms for s, ms in waits if s >= waits[-1][0] - 1.0]
    return Outcome(
        spread([ms for _, ms in waits]), sum(last) / len(last), made_up,
        path.lost / path.sent, unplayed / path.sent, waits,
    )  # fmt: skip
