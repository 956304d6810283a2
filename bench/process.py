"""Starting a server and ending it with all its children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.errors import BenchError

_END_S: Final = 5.0
_LOOK_S: Final = 0.05
_LAST_WORDS: Final = 1500


@contextlib.contextmanager
def server(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], bool],
    *,
    within_s: float = 20.0,
    env: dict[str, str] | None = None,
) -> Iterator[int]:
    """Run until the block ends; the process id, once ``ready`` says True.

    Raises ``BenchError`` with the end of its log when it dies or is not ready in time.
    """
    words = [str(word) for word in command]
    with log.open("wb") as out:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env=os.environ | (env or {}),
        )
    try:
        _await(process, words[0], log, ready, within_s)
        yield process.pid
    finally:
        _end(process)


def _await(
    process: subprocess.Popen[bytes],
    name: str,
    log: Path,
    ready: Callable[[], bool],
    within_s: float,
) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            words = log.read_text(errors="replace")[-_LAST_WORDS:]
            state = "ended" if process.poll() is not None else f"was not ready in {within_s:g} s"
            raise BenchError(f"{Path(name).name} {state}; its last words:\n{words}")
        time.sleep(_LOOK_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process; then end what is left of its session, which is ours alone."""
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
