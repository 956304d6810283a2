"""What the machine must have, and how it is had."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GO_MINIMUM: Final = (1, 24)


@dataclass(frozen=True, slots=True)
class Need:
    """``package`` is its name for apt on Debian and Ubuntu."""

    package: str
    there: Callable[[], bool]


def _command(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _header(path: str) -> Callable[[], bool]:
    return lambda: Path("/usr/include", path).exists()


def go_version(text: str) -> tuple[int, int]:
    """Out of the words of ``go version``; (0, 0) when they say nothing."""
    found = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _go() -> bool:
    if shutil.which("go") is None:
        return False
    said = subprocess.run(["go", "version"], capture_output=True, text=True, check=False).stdout
    return go_version(said) >= GO_MINIMUM


ALWAYS: Final = ("cc", "libc", "opus", "srtp", "espeak-ng", "sox")
NEEDS: Final = {
    "cc": Need("gcc", _command("cc")),
    "libc": Need("libc6-dev", _header("stdio.h")),
    "opus": Need("libopus-dev", _header("opus/opus.h")),
    "srtp": Need("libsrtp2-dev", _header("srtp2/srtp.h")),
    "espeak-ng": Need("espeak-ng", _command("espeak-ng")),
    "sox": Need("sox", _command("sox")),
    "janus": Need("janus", _command("janus")),
    "cyclictest": Need("rt-tests", _command("cyclictest")),
    "go": Need("golang-go (1.24 or newer; Debian 12 has an older one)", _go),
}


def missing(names: Iterable[str]) -> list[str]:
    """Packages, by apt's names, for those needs that are not met."""
    return [NEEDS[name].package for name in dict.fromkeys(names) if not NEEDS[name].there()]
