"""The C load generator: its plan, its life, and what it saw."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from bench import cache
from bench.errors import BenchError

SLOT_US: Final = 1000
"""Legs are spread over the frame in steps of this size."""
_END_TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True)
class Secure:
    """What a WebRTC leg has besides: SRTP keys and a ready-made ICE consent check."""

    profile: int
    tx: bytes
    rx: bytes
    stun: bytes


@dataclass(frozen=True, slots=True)
class LegPlan:
    """One leg of the generator; ``sock`` is bound and connected to the server."""

    sock: socket.socket
    payload_type: int
    ssrc: int
    media: str | None
    """Name of a packet file in the plan; None = listens only."""
    start: int = 0
    """Packet that the leg begins with."""
    level_ext: int = 0
    """RFC 6464 extension id, 0 = levels are not sent."""
    watches: int | None = None
    """Index of the leg whose tone bursts are looked for in what comes back."""
    secure: Secure | None = None


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Microseconds; of ``n`` values."""

    n: int
    min_us: int
    p50_us: int
    p99_us: int
    max_us: int


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """What the generator saw between ``begin`` and ``end``."""

    seconds: float
    legs: int
    sent: int
    send_errors: int
    received: int
    lost: int
    reordered: int
    auth_failures: int
    receiving_legs: int
    unmatched: int
    send_late: Quantiles
    interarrival: Quantiles
    """Normalised by timestamp: a pause of DTX is no gap."""
    leg_p99: Quantiles
    """Over the legs: each one's own 99th percentile of the gaps."""
    delay: Quantiles
    """Mouth to ear, by tone bursts, beyond what the same packets take without a server."""
    raw: dict[str, Any]


def _quantiles(raw: dict[str, int]) -> Quantiles:
    return Quantiles(raw["n"], raw["min"], raw["p50"], raw["p99"], raw["max"])


def parse_window(text: str) -> LoadWindow:
    """The generator's JSON."""
    raw = json.loads(text)
    counts = ("legs", "sent", "send_errors", "received", "lost", "reordered", "auth_failures")
    return LoadWindow(
        seconds=raw["seconds"],
        **{name: raw[name] for name in (*counts, "receiving_legs", "unmatched")},
        send_late=_quantiles(raw["send_late_us"]),
        interarrival=_quantiles(raw["interarrival_us"]),
        leg_p99=_quantiles(raw["leg_p99_us"]),
        delay=_quantiles(raw["delay_us"]),
        raw=raw,
    )


def leg_line(leg: LegPlan, phase_us: int) -> str:
    """One line of the plan (load/plan.h)."""
    words = [f"leg fd={leg.sock.fileno()}", f"pt={leg.payload_type}", f"ssrc={leg.ssrc}"]
    words += [f"phase_us={phase_us}", f"start={leg.start}", f"ext={leg.level_ext}"]
    if leg.media is not None:
        words.append(f"media={leg.media}")
    if leg.watches is not None:
        words.append(f"watches={leg.watches}")
    if leg.secure is not None:
        words += [f"profile={leg.secure.profile}", f"tx={leg.secure.tx.hex()}"]
        words += [f"rx={leg.secure.rx.hex()}", f"stun={leg.secure.stun.hex()}"]
    return " ".join(words)


def plan_text(
    legs: Sequence[LegPlan], media: dict[str, Path | None], marks: str | None, frame_ms: int
) -> str:
    """The whole plan; a medium without a path is digital silence. The legs are spread over the
    frame in their order."""
    lines = [f"frame {frame_ms}"]
    for name, path in media.items():
        suffix = " marks" if name == marks else ""
        lines.append(f"media {name} {path or 'silence'}{suffix}")
    slots = frame_ms * 1000 // SLOT_US
    for i, leg in enumerate(legs):
        lines.append(leg_line(leg, i * slots // len(legs) * SLOT_US))
    return "\n".join(lines) + "\n"


class Load:
    """The running generator; a context manager."""

    def __init__(self, plan: str, legs: Sequence[LegPlan]) -> None:
        path = cache.folder("run") / "plan.txt"
        path.write_text(plan)
        path.chmod(0o600)  # it holds keys
        fds = [leg.sock.fileno() for leg in legs]
        self._process = subprocess.Popen(
            [cache.program("loadgen"), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=fds,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def begin(self) -> None:
        """The measured window starts. Raises ``BenchError`` when the generator has died."""
        if self._process.poll() is not None:
            raise BenchError(f"the load generator ended with code {self._process.returncode}")
        assert self._process.stdin is not None
        self._process.stdin.write("begin\n")
        self._process.stdin.flush()

    def end(self) -> LoadWindow:
        """The window ends, and with it the load."""
        out, _ = self._process.communicate("end\n", timeout=_END_TIMEOUT_S)
        if self._process.returncode != 0:
            raise BenchError(f"the load generator ended with code {self._process.returncode}")
        return parse_window(out)
