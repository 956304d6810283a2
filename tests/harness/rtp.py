"""A plain-RTP leg as a gateway has it: a thread that paces 20 ms packets and keeps what comes."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from aiortc.rtp import RtcpByePacket, RtcpPacket
from numpy.typing import NDArray

from disturbance import sender_was_late
from harness.tones import tone
from voiceroom_mixer.codec.opus import OpusDecoder, OpusEncoder

FRAME = 960
FRAME_NS = 20_000_000
SILENCE = b"\xf8\xff\xfe"


@dataclass(frozen=True)
class Heard:
    """One packet that came back."""

    at_ns: int
    seq: int
    timestamp: int
    ssrc: int
    payload: bytes
    csrcs: tuple[int, ...] = ()
    extension: bytes = b""
    """The header extension block, without its own header."""


def parse(at_ns: int, data: bytes) -> Heard:
    """A plain RTP packet."""
    first, _, seq, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    start = 12 + 4 * (first & 15)
    csrcs = struct.unpack_from(f"!{first & 15}I", data, 12)
    extension = b""
    if first & 0x10:
        words = struct.unpack_from("!HH", data, start)[1]
        extension = data[start + 4 : start + 4 + 4 * words]
        start += 4 + 4 * words
    return Heard(at_ns, seq, timestamp, ssrc, data[start:], csrcs, extension)


class RtpLeg:
    """Sends a tone (or Opus silence when ``hz`` is None) and records the mix."""

    def __init__(self, hz: float | None, payload_type: int = 111, host: str = "127.0.0.1") -> None:
        self.hz = hz
        self.payload_type = payload_type
        self.host = host
        self.socket = self.new_socket()
        self.port = int(self.socket.getsockname()[1])
        self.ssrc = self.port
        self.heard: list[Heard] = []
        self.reports: list[bytes] = []
        """RTCP as it came."""
        self.seq = 65_500
        self.timestamp = 0
        self.target: tuple[str, int] = ("", 0)
        self.sending = True
        self.changed = threading.Condition()
        self.stopped = threading.Event()
        self.threads: list[threading.Thread] = []

    def new_socket(self) -> socket.socket:
        """Another source port."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind((self.host, 0))
        sock.settimeout(0.2)
        return sock

    def start(self, target: tuple[str, int]) -> None:
        """Begin to send to the mixer and to listen."""
        self.target = target
        for work in (self._send, self._receive):
            thread = threading.Thread(target=work)
            thread.start()
            self.threads.append(thread)

    def close(self) -> None:
        """Stop both threads and close the socket."""
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        self.socket.close()

    def put(self, packet: bytes) -> None:
        """One RTP packet on its way."""
        self.socket.sendto(packet, self.target)

    def take(self, data: bytes) -> None:
        """One datagram that came."""
        if len(data) >= 8 and 192 <= data[1] <= 223:
            with self.changed:
                self.reports.append(data)
                self.changed.notify_all()
        elif len(data) >= 12:
            with self.changed:
                self.heard.append(parse(time.monotonic_ns(), data))
                self.changed.notify_all()

    def packet(self, payload: bytes) -> bytes:
        """The next RTP packet."""
        head = struct.pack(
            "!BBHII",
            0x80,
            self.payload_type,
            self.seq & 0xFFFF,
            self.timestamp & 0xFFFF_FFFF,
            self.ssrc,
        )
        return head + payload

    def _send(self) -> None:
        _in_real_time()
        encoder = OpusEncoder()
        begin, n = time.monotonic_ns(), 0
        while not self.stopped.is_set():
            payload = SILENCE
            if self.hz is not None:
                payload = encoder.encode(tone(self.hz, n * FRAME, FRAME))
            if self.sending:
                self.put(self.packet(payload))
                self.seq += 1
            self.timestamp += FRAME
            n += 1
            now = time.monotonic_ns()
            pause = begin + n * FRAME_NS - now
            sender_was_late(now, -pause)
            if pause > 0:
                self.stopped.wait(pause / 1e9)
        encoder.close()

    def _receive(self) -> None:
        while not self.stopped.is_set():
            try:
                data = self.socket.recv(2048)
            except (TimeoutError, ConnectionRefusedError):
                continue
            self.take(data)

    def wait(self, condition: Callable[[list[Heard]], bool], timeout_s: float) -> None:
        """Until ``condition`` holds of what was heard; fails the test after ``timeout_s``."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.heard), timeout_s), (
                f"not within {timeout_s} s; heard {len(self.heard)} packets"
            )

    def wait_packets(self, count: int, timeout_s: float = 10.0) -> list[Heard]:
        """``count`` more packets than there were."""
        target = len(self.heard) + count
        self.wait(lambda heard: len(heard) >= target, timeout_s)
        return self.heard[target - count : target]


def _in_real_time() -> None:
    """Lets this thread keep its pace beside busy ones, where that is granted."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def decode(packets: list[Heard]) -> NDArray[np.float32]:
    """The sound of consecutive packets."""
    decoder = OpusDecoder()
    pcm = np.concatenate([decoder.decode(p.payload).copy() for p in packets])
    decoder.close()
    return pcm


def byes(leg: RtpLeg) -> list[int]:
    """SSRCs that have said BYE, read by aiortc."""
    parts = (part for data in leg.reports for part in RtcpPacket.parse(data))
    return [ssrc for part in parts if isinstance(part, RtcpByePacket) for ssrc in part.sources]
