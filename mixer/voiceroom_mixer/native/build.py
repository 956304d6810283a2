"""Compiles ``src/*.c`` into one shared library beside this file. Standard library only: the wheel's
build hook and ``scripts/setup`` run it before anything is installed.

The library's name carries a digest of its sources, so a library that fits is never built again and
one that does not fit is never loaded. It is plain C for ctypes: no Python headers, one library for
all Python versions.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
SOURCES: Final = FOLDER / "src"
PREFIX: Final = "_kernels-"
COMPILERS: Final = ("cc", "gcc", "clang")
PACKAGES: Final = "gcc libc6-dev"
BASELINES: Final = {"x86_64": ("-march=x86-64-v2",), "AMD64": ("-march=x86-64-v2",)}
"""What a library must run on; hot loops add wider clones of themselves (``VR_CLONES``)."""
FLAGS: Final = (
    "-std=c11",
    "-O3",
    "-fwrapv",  # hostile timestamps may overflow a sum: that wraps, it is not undefined
    "-ffp-contract=off",  # the same sound on every machine, fused multiply-add or not
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fvisibility=hidden",
    "-fPIC",
    "-shared",
    "-Wall",
    "-Wextra",
    "-Wl,-z,now,-z,relro",
)
_TIMEOUT_S: Final = 300


class BuildError(RuntimeError):
    """The library cannot be built here; the message says why and what would help."""


def sources() -> list[Path]:
    """The C files and the headers, in a fixed order."""
    return sorted([*SOURCES.glob("*.c"), *SOURCES.glob("*.h")])


def flags() -> tuple[str, ...]:
    """The compiler's options on this machine."""
    return FLAGS + BASELINES.get(platform.machine(), ())


def target() -> Path:
    """Where the library for the sources as they are now is, or would be."""
    digest = hashlib.sha256(" ".join((platform.machine(), *flags())).encode())
    for path in sources():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return FOLDER / f"{PREFIX}{digest.hexdigest()[:16]}.so"


def compiler() -> list[str]:
    """The C compiler's command: ``CC``, or the first of the usual names.

    Raises ``BuildError``.
    """
    chosen = os.environ.get("CC")
    if chosen:
        return shlex.split(chosen)
    for name in COMPILERS:
        if shutil.which(name):
            return [name]
    raise BuildError(f"no C compiler ({', '.join(COMPILERS)}); install {PACKAGES}")


def build() -> Path:
    """The library for the sources as they are now, compiled if it is not there.

    Raises ``BuildError``.
    """
    library = target()
    if not library.exists():
        _compile(library)
        _forget_others(library)
    return library


def _compile(library: Path) -> None:
    """Into a file of its own first: another process may be doing the same."""
    unfinished = library.with_suffix(f".{os.getpid()}.tmp")
    inputs = [str(path) for path in sources() if path.suffix == ".c"]
    command = [*compiler(), *flags(), "-o", str(unfinished), *inputs, "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
        if done.returncode:
            raise BuildError(f"{shlex.join(command)} failed:\n{done.stderr.strip()}")
        os.replace(unfinished, library)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{shlex.join(command)}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _forget_others(library: Path) -> None:
    """Libraries of earlier sources; whoever has one loaded keeps it until he ends."""
    for path in FOLDER.glob(f"{PREFIX}*.so"):
        if path != library:
            path.unlink(missing_ok=True)


def main() -> int:
    """Build, or say in one line why the Python twin will run; never an error for the caller."""
    try:
        if not target().exists():
            print("== compiling the native kernels", flush=True)  # noqa: T201 - a command prints
        build()
    except BuildError as error:
        print(f"The native kernels were not built, so the slower Python runs: {error}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
