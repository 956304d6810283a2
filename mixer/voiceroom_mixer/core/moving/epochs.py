"""Epochs: one counter a room; who holds the highest mixes, and SSRCs are never used twice.

An SSRC that this room's pods send under is made from the leg's first one and the epoch of the
*take-over* that introduced it (an orderly move keeps the SSRC that is in use, because the word of
the one that stopped says where its index stands). Adding an odd constant is a permutation of the
32-bit numbers, so no two epochs of a leg share an SSRC, and with it no IV (RFC 3711 §4.1.1).
"""

from __future__ import annotations

from typing import Final

MAX_EPOCH: Final = (1 << 32) - 1
_STRIDE: Final = 0x9E37_79B1  # odd, near 2^32 / golden ratio: consecutive epochs lie far apart
_MASK: Final = 0xFFFF_FFFF


def ssrc_of(first_ssrc: int, epoch: int) -> int:
    """SSRC (32 bits) under which a pod that took over in ``epoch`` sends to a leg that began with
    ``first_ssrc`` in epoch 0 terms. Injective in ``epoch``."""
    assert 0 <= epoch <= MAX_EPOCH
    return (first_ssrc + epoch * _STRIDE) & _MASK


def taken_over(epoch: int) -> int:
    """The epoch under which the twin of ``epoch`` takes over; given to nobody else."""
    return epoch + 1


def given_anew(epoch: int) -> int:
    """The epoch for a pod that is not the twin: past the one that the twin may have taken."""
    return epoch + 2
