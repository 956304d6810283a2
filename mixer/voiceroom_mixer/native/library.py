"""Finding and loading the compiled kernels, or saying why the Python twins run instead."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from voiceroom_mixer.native import build

ENVIRONMENT: Final = "VOICEROOM_NATIVE"
"""0 = the Python twins, whatever was built."""


@dataclass(frozen=True, slots=True)
class Native:
    """What runs in this process."""

    library: ctypes.PyDLL | None
    """Called without letting go of the interpreter's lock: media has one thread, and no kernel
    blocks. None = the Python twins run."""
    reason: str
    """Why there is no library; the library's name where there is one."""

    @property
    def loaded(self) -> bool:
        """Whether the compiled kernels run."""
        return self.library is not None


def open_library(environment: str | None) -> Native:
    """The library, unless ``environment`` (the variable's value) says 0, it is not there or is not
    loadable."""
    if environment == "0":
        return Native(None, f"{ENVIRONMENT}=0")
    path = build.target()
    if not path.exists():
        return Native(None, "not built for these sources; scripts/setup builds it")
    try:
        return Native(ctypes.PyDLL(str(path)), path.name)
    except OSError as error:
        return Native(None, f"not loadable: {error}")


@lru_cache(maxsize=1)
def load() -> Native:
    """The kernels of this process; decided once."""
    return open_library(os.environ.get(ENVIRONMENT))
