"""Finding and declaring libopus: no wrapper package, no compiler, one C library by ctypes."""

from __future__ import annotations

import ctypes
import glob
import os
import sysconfig
from ctypes import POINTER, c_char_p, c_float, c_int, c_int32, c_void_p
from functools import lru_cache
from typing import Any, Final

from voiceroom_mixer.codec.base import CodecUnavailable

ENVIRONMENT: Final = "VOICEROOM_LIBOPUS"
SYSTEM_NAME: Final = "libopus.so.0"
_Pcm = POINTER(c_float)
_PROTOTYPES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "opus_get_version_string": (c_char_p, ()),
    "opus_strerror": (c_char_p, (c_int,)),
    "opus_encoder_create": (c_void_p, (c_int32, c_int, c_int, POINTER(c_int))),
    "opus_encoder_destroy": (None, (c_void_p,)),
    "opus_encode_float": (c_int32, (c_void_p, c_void_p, c_int, c_void_p, c_int32)),
    "opus_decoder_create": (c_void_p, (c_int32, c_int, POINTER(c_int))),
    "opus_decoder_destroy": (None, (c_void_p,)),
    "opus_decode_float": (c_int, (c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int)),
}


class OpusLibrary:
    """libopus with its prototypes declared; ``encoder_ctl`` and ``decoder_ctl`` are variadic."""

    def __init__(self, path: str) -> None:
        """Raises ``OSError`` or ``AttributeError`` when ``path`` is not a libopus."""
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, list(arguments)
        self.path = path
        self.version: str = library.opus_get_version_string().decode()
        self.encoder_create = library.opus_encoder_create
        self.encoder_destroy = library.opus_encoder_destroy
        self.encode_float = library.opus_encode_float
        self.decoder_create = library.opus_decoder_create
        self.decoder_destroy = library.opus_decoder_destroy
        self.decode_float = library.opus_decode_float
        self.encoder_ctl = library.opus_encoder_ctl
        self.decoder_ctl = library.opus_decoder_ctl
        self._strerror = library.opus_strerror

    def error(self, code: int) -> str:
        """What a negative return value means, in libopus's own words."""
        text: bytes = self._strerror(code)
        return text.decode()


def bundled_paths() -> list[str]:
    """The copies that PyAV carries; found as files, so that PyAV need not be imported."""
    folder = glob.escape(sysconfig.get_path("platlib"))
    return sorted(glob.glob(os.path.join(folder, "av.libs", "libopus-*.so*")))


def candidates() -> list[str]:
    """Where libopus is looked for, best first; a set environment variable rules alone."""
    chosen = os.environ.get(ENVIRONMENT)
    return [chosen] if chosen else [SYSTEM_NAME, *bundled_paths()]


@lru_cache(maxsize=4)
def load(path: str | None = None) -> OpusLibrary:
    """The library at ``path``, or the first of ``candidates`` that loads.

    Raises ``CodecUnavailable``.
    """
    failures = []
    for candidate in [path] if path else candidates():
        try:
            return OpusLibrary(candidate)
        except (OSError, AttributeError) as error:
            failures.append(f"{candidate}: {error}")
    raise CodecUnavailable(
        f"no libopus ({'; '.join(failures)}); install the package libopus0 "
        f"or set {ENVIRONMENT} to the library's path"
    )
