"""The suite's own end of a call: a talker with a tone, a listener with the kernel's stamps."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S, SAMPLES_PER_MS
from voiceroom_driftlab.experiments.sound import sine
from voiceroom_driftlab.torture.continuity import Arrived
from voiceroom_mixer.codec.base import EncoderSettings
from voiceroom_mixer.codec.opus import OpusEncoder
from voiceroom_mixer.core.rtp.packet import RtpPacket, build, parse
from voiceroom_mixer.edge import clock

FRAME_MS: Final = 20
_FRAME: Final = FRAME_MS * SAMPLES_PER_MS
_AMPLITUDE: Final = 0.25
_PRIORITY: Final = 50
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("qq")
_DTX_EVERY: Final = 20
"""Frames: 400 ms between two packets of silence."""
Lost = Callable[[int], bool]
"""Whether the frame of this number is lost on the way."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a leg sends to."""

    address: tuple[str, int]
    payload_type: int


def bound() -> socket.socket:
    """A UDP socket on loopback whose packets the kernel stamps."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    one.bind(("127.0.0.1", 0))
    one.settimeout(0.2)
    return one


def urgent() -> None:
    """This thread before all others, where that is allowed: the line must not be what is late."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))


def tone_packets(seconds: float, hz: float, amplitude: float = _AMPLITUDE) -> list[bytes]:
    """Opus, one packet for each frame; made before the call, so that it costs nothing in it."""
    encoder = OpusEncoder(EncoderSettings(bitrate_bps=64_000))
    frames = int(seconds * 1000 / FRAME_MS)
    wave = (amplitude * sine(frames * _FRAME, hz)).astype(np.float32)
    packets = [encoder.encode(wave[n * _FRAME : (n + 1) * _FRAME]) for n in range(frames)]
    encoder.close()
    return packets


class Talker(threading.Thread):
    """Sends frames on absolute deadlines from ``start()`` on, until they are at their end."""

    def __init__(
        self, sock: socket.socket, where: Where, packets: list[bytes | None], lost: Lost, ssrc: int
    ) -> None:
        """``None`` in ``packets`` is a frame that is not sent."""
        super().__init__(name="talker")
        self._sock, self._where, self._packets = sock, where, packets
        self._lost, self._ssrc = lost, ssrc
        self.late_ns = 0
        """At worst."""
        self.ended_wall_ns = 0

    def run(self) -> None:
        """One packet a frame."""
        urgent()
        due_ns = clock.monotonic_ns()
        sequence = 0
        for number, payload in enumerate(self._packets):
            due_ns += FRAME_MS * NS_PER_MS
            clock.sleep_until(due_ns)
            self.late_ns = max(self.late_ns, clock.monotonic_ns() - due_ns)
            if payload is not None:
                if not self._lost(number):
                    self._send(number, sequence, payload)
                sequence += 1
        self.ended_wall_ns = clock.wall_ns()

    def _send(self, number: int, sequence: int, payload: bytes) -> None:
        packet = RtpPacket(
            self._where.payload_type, sequence & 0xFFFF, number * _FRAME, self._ssrc, payload,
            marker=sequence == 0,
        )  # fmt: skip
        with contextlib.suppress(OSError):
            self._sock.sendto(build(packet), self._where.address)


def sparse(packets: list[bytes], silence: bytes) -> list[bytes | None]:
    """Under DTX: 200 ms of sound every two seconds, a packet each 400 ms in between."""
    dealt: list[bytes | None] = []
    for number, packet in enumerate(packets):
        if number % 100 < 10:
            dealt.append(packet)
        else:
            dealt.append(silence if number % _DTX_EVERY == 0 else None)
    return dealt


class Listener(threading.Thread):
    """Collects what comes until it is told to stop."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(name="listener")
        self._sock = sock
        self._over = threading.Event()
        self.arrived: list[Arrived] = []
        self._last: Arrived | None = None

    def stop(self) -> None:
        """And wait for the end."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Whatever is not RTP is none of ours."""
        urgent()
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError, ValueError):
                data, ancillary, *_ = self._sock.recvmsg(2048, 128)
                if len(data) > 1 and not 64 <= data[1] & 0x7F <= 95:  # RTCP (RFC 5761 §4)
                    self._add(parse(data), _stamp(ancillary))

    def _add(self, packet: RtpPacket, at_ns: int) -> None:
        sequence, timestamp = packet.sequence, packet.timestamp
        if self._last:
            sequence = _near(sequence, self._last.sequence, 16)
            timestamp = _near(timestamp, self._last.timestamp, 32)
        self._last = Arrived(at_ns, sequence, timestamp, packet.payload)
        self.arrived.append(self._last)


def _near(value: int, last: int, bits: int) -> int:
    """The number that ends in ``value`` and is nearest to ``last``."""
    half = 1 << (bits - 1)
    return last + ((value - last + half) & ((1 << bits) - 1)) - half


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return int(seconds) * NS_PER_S + int(nanoseconds)
    return clock.wall_ns()


@contextlib.contextmanager
def listening(sock: socket.socket) -> Iterator[Listener]:
    """Until the block ends."""
    listener = Listener(sock)
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()
