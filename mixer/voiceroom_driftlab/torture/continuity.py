"""Whether a tone that went through a mixer came out whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S, SAMPLE_RATE
from voiceroom_driftlab.experiments.sound import TONE_HZ
from voiceroom_driftlab.experiments.spread import Floats
from voiceroom_mixer.core.receive.source import Pcm

WINDOW: Final = SAMPLE_RATE // 100
WINDOW_MS: Final = 10
LISTENER_NS: Final = 200 * NS_PER_MS
"""What the listener's buffer holds: later than this after the earliest packet is not heard."""
_SILENT: Final = 0.5
"""Of the usual amplitude (-6 dB)."""
_PHASE_RAD: Final = np.radians(30)


class Arrived(NamedTuple):
    """One packet of the mix, with extended sequence number and timestamp."""

    at_ns: int
    sequence: int
    timestamp: int
    payload: bytes


class Decodes(Protocol):
    """What of a decoder is needed."""

    def decode(self, payload: bytes) -> Pcm: ...


@dataclass(frozen=True, slots=True)
class Continuity:
    """Of one listener."""

    heard_ms: int
    dropouts: int
    """Runs of windows of 10 ms in which the tone was not there, or not half as loud."""
    longest_ms: int
    silent_ms: int
    phase_breaks: int
    """Places where the tone goes on, but not from where it was."""
    late_dropouts: int
    """Of the last two seconds: it did not mend."""
    greatest_gap_ms: float
    """Between two packets."""
    rtp_error_ms: float
    """How much more the timestamps moved on than time did."""


def continuity(packets: Sequence[Arrived], decoder: Decodes, warm_up_s: float) -> Continuity:
    """Of at least two packets, the first seconds left out. Raises ``ValueError`` for fewer."""
    if len(packets) < 2:
        raise ValueError(f"{len(packets)} packets came: nothing was heard")
    ordered = sorted(packets, key=lambda one: one.sequence)
    windows = amplitudes(assembled(ordered, decoder))[int(warm_up_s * 100) :]
    if not len(windows):
        raise ValueError(f"less than {warm_up_s:g} s were heard")
    silent = np.abs(windows) < _SILENT * float(np.median(np.abs(windows)))
    lengths = runs(silent)
    times = np.sort([one.at_ns for one in packets])
    return Continuity(
        len(windows) * WINDOW_MS, len(lengths), WINDOW_MS * max(lengths, default=0),
        WINDOW_MS * sum(lengths), phase_breaks(windows, silent), len(runs(silent[-200:])),
        float(np.diff(times).max()) / NS_PER_MS, _rtp_error_ms(ordered),
    )  # fmt: skip


def assembled(ordered: Sequence[Arrived], decoder: Decodes) -> Floats:
    """The sound by timestamps, silence for what is missing or was too late: nothing is
    concealed."""
    first, last = ordered[0].timestamp, ordered[-1].timestamp
    sound = np.zeros(last - first + SAMPLE_RATE // 8)
    transit = [one.at_ns - (one.timestamp - first) * NS_PER_S // SAMPLE_RATE for one in ordered]
    earliest = min(transit)
    end = 0
    for one, took in zip(ordered, transit, strict=True):
        pcm = decoder.decode(one.payload)
        at = one.timestamp - first
        end = max(end, at + len(pcm))
        if took - earliest <= LISTENER_NS:
            sound[at : at + len(pcm)] = pcm
    return sound[:end]


def amplitudes(
    sound: Floats, hz: float = TONE_HZ
) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    """The tone in each window, as a complex amplitude against one that runs through."""
    count = len(sound) // WINDOW
    at = np.arange(count * WINDOW)
    turned = sound[: count * WINDOW] * np.exp(-2j * np.pi * hz * at / SAMPLE_RATE)
    found: np.ndarray[tuple[int], np.dtype[np.complex128]] = turned.reshape(count, WINDOW).mean(1)
    return found


def runs(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
    """The lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    lengths: list[int] = (edges[1::2] - edges[::2]).tolist()
    return lengths


def phase_breaks(
    windows: np.ndarray[tuple[int], np.dtype[np.complex128]],
    silent: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> int:
    """Steps of phase between neighbours that are both heard."""
    steps = np.abs(np.angle(windows[1:] * np.conj(windows[:-1])))
    heard = ~(silent[1:] | silent[:-1])
    return len(runs((steps > _PHASE_RAD) & heard))


def _rtp_error_ms(ordered: Sequence[Arrived]) -> float:
    """From the least delayed packets of the first and the last second."""
    second = [one for one in ordered if one.timestamp < ordered[0].timestamp + SAMPLE_RATE]
    end = [one for one in ordered if one.timestamp > ordered[-1].timestamp - SAMPLE_RATE]
    moved = [
        min(one.at_ns - one.timestamp * NS_PER_S / SAMPLE_RATE for one in part)
        for part in (second, end)
    ]
    return (moved[0] - moved[1]) / NS_PER_MS
