"""A few plain-RTP legs that send without a break: work for the pod, and witnesses of its time."""

from __future__ import annotations

import os
import socket
import struct
import threading
from contextlib import suppress
from typing import Final

from voiceroom_driftlab.real.process import FRAME_NS, MixerUnderTest
from voiceroom_mixer.cli.probing.tones import tone
from voiceroom_mixer.codec.opus import OpusEncoder
from voiceroom_mixer.core.mix.encoding import EncoderSettings
from voiceroom_mixer.edge import clock

FRAME: Final = 960
LEGS: Final = 4
_LOOP: Final = 50
"""Frames of tone that are sent over and over."""
_HEAD: Final = struct.Struct("!BBHII")
RT_PRIORITY: Final = 20


def be_on_time() -> bool:
    """Real-time scheduling for the calling thread: a starved node does not hold up who is not on
    it. Whether it was granted."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(RT_PRIORITY))
        return True
    return False


class Senders:
    """All of them, from one thread."""

    def __init__(self, mixer: MixerUnderTest) -> None:
        self._legs = []
        for number in range(LEGS):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
            ip, port, kind = mixer.add_leg(sock.getsockname()[1])
            self._legs.append((sock, (ip, port), kind, number))
        encoder = OpusEncoder(EncoderSettings())
        frames = (tone(440.0, at * FRAME, FRAME) for at in range(_LOOP))
        self._packets = [encoder.encode(frame) for frame in frames]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="senders", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        be_on_time()
        begun_ns, number = clock.monotonic_ns(), 0
        while not self._over.is_set():
            number += 1
            clock.sleep_until(begun_ns + number * FRAME_NS)
            for sock, target, kind, leg in self._legs:
                head = _HEAD.pack(0x80, kind, number & 0xFFFF, number * FRAME & 0xFFFFFFFF, leg + 1)
                with suppress(OSError):
                    sock.sendto(head + self._packets[number % _LOOP], target)
                    while sock.recv(2_048):
                        pass

    def close(self) -> None:
        """Stop sending."""
        self._over.set()
        self._thread.join()
        for sock, *_ in self._legs:
            sock.close()
