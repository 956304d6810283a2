"""The compiled kernels of the mix path, over libopus. Their twins run where these are missing:
``Playout.pull`` of core/receive, and ``bus``, ``Limiter`` and ``MixStream.emit`` of core/mix.
"""

from __future__ import annotations

import ctypes
from ctypes import c_void_p
from dataclasses import dataclass

from voiceroom_mixer.codec.library import OpusLibrary
from voiceroom_mixer.codec.nativemix import NativeMix
from voiceroom_mixer.codec.nativepull import NativePulls
from voiceroom_mixer.core.mix.resample import FARROW


class CodecTable(ctypes.Structure):
    """``struct vr_codec`` of native/src/mix.h."""

    _fields_ = (
        ("decode", c_void_p),
        ("encode", c_void_p),
        ("control", c_void_p),
        ("farrow", c_void_p),
    )


@dataclass(frozen=True, slots=True)
class Kernels:
    """What one media process has, shared by its rooms: only one of them is mixed at a time."""

    pulls: NativePulls
    mix: NativeMix


def make(library: ctypes.PyDLL | None, opus: OpusLibrary) -> Kernels | None:
    """The kernels of a loaded library; None where there is none."""
    if library is None:
        return None
    table = CodecTable(
        _address(opus.decode_float),
        _address(opus.encode_float),
        _address(opus.encoder_ctl),
        FARROW.ctypes.data,
    )
    return Kernels(NativePulls(library.vr_pull, table), NativeMix(library.vr_mix, table))


def _address(function: object) -> int | None:
    return ctypes.cast(function, c_void_p).value  # type: ignore[arg-type]
