"""Where built programs and encoded speech are kept, outside the checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.errors import BenchError

LOAD: Final = Path(__file__).resolve().parent / "load"
_FLAGS: Final = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra")
PROGRAMS: Final = {
    "loadgen": (
        ("loadgen", "sender", "receiver", "plan", "media", "marks", "samples", "secure", "fail"),
        ("-lsrtp2", "-lopus", "-lm", "-lpthread"),
    ),
    "encode": (("encode", "fail"), ("-lopus", "-lm")),
    "floor": (("floor", "fail"), ()),
}
"""Sources in load/ and libraries of each C program."""


def folder(*parts: str) -> Path:
    """A folder of the cache, made if need be: ``$XDG_CACHE_HOME/voiceroom/bench/...``."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = base.joinpath("voiceroom", "bench", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def digest(files: Iterable[Path], *more: str) -> str:
    """A name for what these files and words make."""
    total = hashlib.sha256("\0".join(more).encode())
    for file in files:
        total.update(file.read_bytes())
    return total.hexdigest()[:16]


def run_tool(command: Sequence[str | Path], what: str, **options: object) -> None:
    """Run a build step; raises ``BenchError`` with its last words."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        raise BenchError(f"{what} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def program(name: str) -> Path:
    """The built C program; built with ``cc`` when its sources have changed."""
    sources, libraries = PROGRAMS[name]
    files = [LOAD / f"{source}.c" for source in sources]
    key = digest([*files, *sorted(LOAD.glob("*.h"))], *_FLAGS, *libraries)
    built = folder("bin") / f"{name}-{key}"
    if not built.exists():
        fresh = built.with_suffix(".new")
        run_tool(["cc", *_FLAGS, "-o", fresh, *files, *libraries], f"building {name}")
        fresh.rename(built)
    return built
