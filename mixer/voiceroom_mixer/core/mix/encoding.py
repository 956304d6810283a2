"""What a mix asks of its encoder, and when it pays for loss resilience.

CELT-only frames cost a third of hybrid ones, but in-band FEC exists only in SILK and hybrid
frames (RFC 6716 §2.1.7). So a mix is CELT-only until one of its listeners reports loss, and goes
back when none has for ten seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

from voiceroom_mixer.core.receive.source import Pcm

FEC_ON_PPM: Final = 10_000
FEC_OFF_PPM: Final = 5_000
FEC_HOLD_MS: Final = 10_000
MAX_LOSS_PERCENT: Final = 25
_LOSS_STEP_PERCENT: Final = 5
"""Coarse steps: each change of the encoder's loss setting changes how it spends its bits."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Everything about an encoder that can be changed while it runs."""

    bitrate_bps: int = 32_000
    complexity: int = 5
    """0..10."""
    fec: bool = False
    """In-band FEC; off means CELT-only frames, the cheap ones."""
    loss_percent: int = 0
    dtx: bool = False


class FrameEncoder(Protocol):
    """One encoder, as a mix uses it."""

    def configure(self, settings: EncoderSettings) -> None:
        """Change settings between two frames; costs nothing for what stays the same."""

    def encode(self, pcm: Pcm, *, independent: bool = False) -> bytes:
        """One packet of ``len(pcm)`` samples (10, 20 or 40 ms at 48 kHz).

        ``independent``: predicts nothing from earlier frames, so that a decoder that has been
        fed by another encoder can begin here. Two bytes or less: nothing worth sending (DTX).
        """

    def reset(self) -> None:
        """Forget all sound; the settings stay."""

    def close(self) -> None:
        """Release the memory; nothing else may be called after it."""


class EncoderPolicy:
    """Turns the loss that listeners report into encoder settings, with hysteresis.

    Time is counted in frames: ``advance`` once for every frame of the mix.
    """

    def __init__(self, base: EncoderSettings, *, fec_allowed: bool) -> None:
        """``base``: the settings without loss."""
        self._base = replace(base, fec=False, loss_percent=0)
        self._fec_allowed = fec_allowed
        self._loss_ppm = 0
        self._hold_ms = 0
        self.settings = self._base

    def rebase(self, base: EncoderSettings, *, fec_allowed: bool) -> None:
        """Other settings for the room; FEC goes on where it is on and still allowed."""
        protected = self.settings.fec and fec_allowed
        self._fec_allowed = fec_allowed
        self._base = replace(base, fec=False, loss_percent=0)
        loss_percent = self.settings.loss_percent if protected else 0
        self.settings = replace(self._base, fec=protected, loss_percent=loss_percent)

    def report(self, loss_ppm: int) -> None:
        """The worst loss among the mix's listeners, in parts per million."""
        self._loss_ppm = loss_ppm
        if not self._fec_allowed:
            return
        wanted = FEC_OFF_PPM if self.settings.fec else FEC_ON_PPM
        if loss_ppm >= wanted:
            self._hold_ms = FEC_HOLD_MS
            self._protect()

    def advance(self, frame_ms: int) -> None:
        """One frame has passed; FEC ends when no loss has been reported for the hold time."""
        if not self.settings.fec or self._loss_ppm >= FEC_OFF_PPM:
            return
        self._hold_ms -= frame_ms
        if self._hold_ms <= 0:
            self.settings = self._base

    def _protect(self) -> None:
        steps = -(-self._loss_ppm // (_LOSS_STEP_PERCENT * 10_000))
        percent = min(steps * _LOSS_STEP_PERCENT, MAX_LOSS_PERCENT)
        # Never down while FEC is on: a lighter report often only means fewer packets.
        percent = max(percent, self.settings.loss_percent)
        self.settings = replace(self._base, fec=True, loss_percent=percent)
