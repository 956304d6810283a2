"""What is measured now, on a terminal with a bar, else a line each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from voiceroom_driftlab.experiments import result


@contextmanager
def shown(stream: TextIO) -> Iterator[result.Progress]:
    """A bar that goes when the block ends; lines where the stream is no terminal."""
    console = Console(file=stream)
    if not console.is_terminal:
        yield _Lines(stream)
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress)


class _Lines:
    """Each thing once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = ""

    def __call__(self, what: str, share: float | None = None) -> None:
        if what != self._last:
            self._stream.write(f"{what}\n")
            self._last = what


class _Bar:
    """One bar for all."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def __call__(self, what: str, share: float | None = None) -> None:
        self._progress.update(
            self._task, description=what, completed=share or 0.0,
            total=None if share is None else 1.0,
        )  # fmt: skip
