"""Units of time and sound, and the wrap-around arithmetic of RTP (RFC 3550 §5.1)."""

from __future__ import annotations

from typing import Final, NewType

Ns = NewType("Ns", int)
"""Nanoseconds, on whichever clock the name beside it says (monotonic unless said otherwise)."""

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
SAMPLE_RATE: Final = 48_000
SAMPLES_PER_MS: Final = 48
SEQ_MASK: Final = 0xFFFF
TIMESTAMP_MASK: Final = 0xFFFF_FFFF
SILENT_LEVEL: Final = 127
"""The RFC 6464 value for digital silence; levels are -dBov, 0 loudest."""


def seq_diff(a: int, b: int) -> int:
    """Signed distance a - b of two 16-bit sequence numbers, in -32768..32767."""
    return ((a - b + 0x8000) & SEQ_MASK) - 0x8000


def timestamp_diff(a: int, b: int) -> int:
    """Signed distance a - b of two 32-bit RTP timestamps, in samples."""
    return ((a - b + 0x8000_0000) & TIMESTAMP_MASK) - 0x8000_0000


def extend_seq(seq: int, highest: int) -> int:
    """The extended sequence number (ROC * 65536 + seq) nearest to ``highest`` (RFC 3711 §3.3.1)."""
    return highest + seq_diff(seq, highest & SEQ_MASK)


def samples_to_ns(samples: int) -> Ns:
    """Duration of ``samples`` at 48 kHz, exact for whole frames."""
    return Ns(samples * NS_PER_S // SAMPLE_RATE)


def ns_to_samples(ns: int) -> int:
    """Whole 48 kHz samples in ``ns``, rounded down."""
    return ns * SAMPLE_RATE // NS_PER_S
