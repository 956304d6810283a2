"""Builds the programs into the cache, once; the second run builds nothing."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster import paths, toolchain
from localcluster.failure import ClusterError
from localcluster.tools import BY_NAME, TOOLS, Tool, module_of


def folder() -> Path:
    """Where all built programs are."""
    return paths.cache() / "bin"


def built(name: str) -> Path | None:
    """The program, or None when it has not been built for these pins yet."""
    tool = BY_NAME[name]
    path = folder() / tool.key() / tool.file_name
    return path if path.exists() else None


def program(name: str) -> Path:
    """The program; built first when it is missing (minutes, with progress lines)."""
    return built(name) or ensure([name])[name]


def ensure(names: Iterable[str]) -> dict[str, Path]:
    """Build what is missing of `names`, in the order of `TOOLS`.

    Raises: ClusterError when the compiler fails, with its last lines.
    """
    wanted = set(names)
    if all(built(name) for name in wanted):
        return {name: path for name in wanted if (path := built(name))}
    with _only_one_builder():
        chosen = [tool for tool in TOOLS if tool.name in wanted]
        return {tool.name: built(tool.name) or _build(tool) for tool in chosen}


@contextmanager
def _only_one_builder() -> Iterator[None]:
    folder().mkdir(parents=True, exist_ok=True)
    with open(folder() / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("== another run builds; waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(tool: Tool) -> Path:
    print(f"== building {tool.name} {tool.version} ({_about(tool.minutes)}, once)", flush=True)
    begin = time.monotonic()
    # Built aside and renamed, so that a run that was ended leaves no half program.
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".building-") as aside:
        made = Path(aside) / tool.file_name
        _compile(tool, made)
        target = folder() / tool.key()
        target.mkdir(exist_ok=True)
        os.replace(made, target / tool.file_name)
    print(f"   {tool.name} took {time.monotonic() - begin:.0f} s", flush=True)
    return target / tool.file_name


def _about(minutes: float) -> str:
    return f"about {minutes:.0f} minutes" if minutes > 1 else "about a minute"


def _compile(tool: Tool, output: Path) -> None:
    # The linker leaves out what debuggers want, so the compiler need not make it.
    flags = ["-gcflags=all=-dwarf=false", "-ldflags", tool.ldflags()]
    go = [str(toolchain.find()), "build", *flags, "-o", str(output)]
    tags = [f"-tags={','.join(tool.tags)}"] if tool.tags else []
    command = ["nice", "-n", "15", *go, *tags, tool.package]
    settings = toolchain.environment()
    result = subprocess.run(
        command, cwd=module_of(tool), env=settings, stderr=subprocess.PIPE, text=True
    )
    if result.returncode != 0:
        last = "\n".join(result.stderr.splitlines()[-10:])
        raise ClusterError(f"{tool.name} {tool.version} could not be built:\n{last}")
