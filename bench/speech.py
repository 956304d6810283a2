"""Opus packet files: real (synthesised) speech of several voices, noise, and tone bursts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench import cache

RATE: Final = 48_000
BITRATE: Final = 32_000
NOISE_DBOV: Final = -60.0
NOISE_S: Final = 8
BURST_EVERY: Final = 1.007
"""Seconds; not a whole number of frames, so that bursts fall anywhere in a frame."""
BURST_S: Final = 0.06
MARKS_BURSTS: Final = 20
_BED_RMS: Final = 0.02
_BURST_PEAK: Final = 0.42
_RECIPE: Final = "1"
"""Grows when the sounds below change."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One talker."""

    voice: str
    speed: int
    pitch: int
    text: str


VOICES: Final = (
    Voice("en-us+m3", 165, 45, "The build went out at noon and the first region looks good. "),
    Voice("en-gb+f2", 175, 60, "I would wait for the second one before we tell anybody at all. "),
    Voice("en-us+f4", 150, 70, "Somebody asked about the gateway: it drops every ninth call. "),
    Voice("en-gb+m1", 185, 35, "Then let us look at its clock, it was wrong last week as well. "),
    Voice("de+m2", 160, 50, "Die Uhr geht vor, aber die Pakete kommen trotzdem zu spaet an. "),
    Voice("fr+f1", 170, 55, "On attend le prochain essai, et puis on rentre tous chez nous. "),
)


def _encode(raw: Path, packets: Path, frame_ms: int) -> None:
    fresh = packets.with_suffix(".new")
    encoder = cache.program("encode")
    cache.run_tool([encoder, raw, fresh, str(frame_ms), str(BITRATE)], f"encoding {packets.name}")
    fresh.rename(packets)


def _packets(name: str, frame_ms: int, make_raw: object) -> Path:
    key = cache.digest([cache.LOAD / "encode.c"], _RECIPE, repr(make_raw))
    return cache.folder("media") / f"{name}-{frame_ms}ms-{key}.pk"


def _from_pcm(name: str, frame_ms: int, pcm: NDArray[np.float64]) -> Path:
    packets = _packets(name, frame_ms, len(pcm))
    if not packets.exists():
        raw = packets.with_suffix(".raw")
        (pcm * 32767).round().astype("<i2").tofile(raw)
        _encode(raw, packets, frame_ms)
        raw.unlink()
    return packets


def _speak(voice: Voice, raw: Path) -> None:
    wav = raw.with_suffix(".wav")
    speak = ["espeak-ng", "-v", voice.voice, "-s", str(voice.speed), "-p", str(voice.pitch)]
    cache.run_tool([*speak, "-w", wav, voice.text * 3], f"espeak-ng {voice.voice}")
    # Pauses above 0.3 s are shortened: a talker of the bench talks nearly all the time.
    effects = ["gain", "-n", "-6", "silence", "-l", "1", "0", "1%", "-1", "0.3", "1%"]
    to_raw = ["-r", str(RATE), "-c", "1", "-b", "16", "-e", "signed-integer", "-t", "raw"]
    cache.run_tool(["sox", "-D", wav, *to_raw, raw, *effects], "sox")
    wav.unlink()


def speech(index: int, frame_ms: int) -> Path:
    """The packet file of a talker; voices repeat after ``len(VOICES)``."""
    voice = VOICES[index % len(VOICES)]
    packets = _packets(f"speech{index % len(VOICES)}", frame_ms, voice)
    if not packets.exists():
        raw = packets.with_suffix(".raw")
        _speak(voice, raw)
        _encode(raw, packets, frame_ms)
        raw.unlink()
    return packets


def noise(frame_ms: int) -> Path:
    """White noise at -60 dBov: a microphone that is open while its owner is silent."""
    generator = np.random.default_rng(60)
    pcm = generator.standard_normal(NOISE_S * RATE) * 10 ** (NOISE_DBOV / 20)
    return _from_pcm("noise", frame_ms, pcm)


def burst_pcm() -> NDArray[np.float64]:
    """A bed of noise at -34 dBov, so that the leg counts as talking, with tone bursts in it."""
    samples = round(MARKS_BURSTS * BURST_EVERY * RATE)
    pcm = np.random.default_rng(1000).standard_normal(samples) * _BED_RMS
    tone = _BURST_PEAK * np.sin(2 * np.pi * 1000 / RATE * np.arange(int(BURST_S * RATE)))
    for n in range(MARKS_BURSTS):
        at = int((n + 0.5) * BURST_EVERY * RATE)
        pcm[at : at + len(tone)] += tone
    return pcm.clip(-0.99, 0.99)


def bursts(frame_ms: int) -> Path:
    """The packet file by which mouth-to-ear delay is measured."""
    return _from_pcm("bursts", frame_ms, burst_pcm())
