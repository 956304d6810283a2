"""Datagrams that nobody should send, from a seed."""

from __future__ import annotations

import os
import random
import socket
import struct
import time
from collections.abc import Callable

from voiceroom_mixer.core.ice import stun

Address = tuple[str, int]
Maker = Callable[[random.Random], bytes]
BURST = 50
BURST_NS = 5_000_000
"""50 each 5 ms: 10,000 a second."""


def _noise(rng: random.Random, first: range, shortest: int, longest: int) -> bytes:
    return bytes((rng.choice(first),)) + rng.randbytes(rng.randint(shortest, longest))


def makers(local_ufrag: str) -> dict[str, Maker]:
    """By the reason under which the mixer must count them; ``local_ufrag`` is a real user name."""

    def check(rng: random.Random, user: str) -> bytes:
        transaction, password = rng.randbytes(12), rng.randbytes(12).hex()
        return stun.request(transaction, user, password, use_candidate=True, priority=1)

    return {
        "empty": lambda rng: b"",
        "not_stun": lambda rng: _noise(rng, range(4), 0, 200),
        "stun_unknown_user": lambda rng: check(rng, rng.randbytes(6).hex() + ":x"),
        "stun_integrity": lambda rng: check(rng, f"{local_ufrag}:x"),
        "unknown_source": lambda rng: _noise(rng, range(20, 192), 0, 400),
        "relay": lambda rng: _noise(rng, range(192, 256), 0, 200),
        "rtp_too_large": lambda rng: _noise(rng, range(128, 192), 2_100, 3_000),
    }


def truncated(datagram: bytes, rng: random.Random) -> bytes:
    """Some bytes short."""
    return datagram[: rng.randrange(len(datagram))]


def flood(target: Address, count: int, local_ufrag: str, seed: int) -> dict[str, int]:
    """Send ``count`` datagrams of all kinds, paced; how many of each."""
    rng = random.Random(seed)
    kinds = makers(local_ufrag)
    plan = [(name, make(rng)) for name, make in kinds.items() for _ in range(64)]
    rng.shuffle(plan)
    sent = dict.fromkeys(kinds, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        begin = time.monotonic_ns()
        for n in range(count):
            name, datagram = plan[n % len(plan)]
            sock.sendto(datagram, target)
            sent[name] += 1
            if n % BURST == BURST - 1:
                _wait_until(begin + n // BURST * BURST_NS)
    return sent


def _wait_until(at_ns: int) -> None:
    pause = at_ns - time.monotonic_ns()
    if pause > 0:
        time.sleep(pause / 1e9)


def srtp_like(ssrc: int, rng: random.Random) -> bytes:
    """A whole SRTP packet that nobody has signed."""
    head = struct.pack("!BBHII", 0x80, 111, rng.randrange(65_536), rng.randrange(2**32), ssrc)
    return head + os.urandom(60)
