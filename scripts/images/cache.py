"""Where images are kept, and how a content gets its key."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout."""
KEPT: Final = 3
"""How many images of one name stay in the cache."""
_KEY_CHARS: Final = 12
_SKIPPED: Final = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", "build"})
_BUILT: Final = frozenset({".so", ".pyc", ".o"})


class BuildError(RuntimeError):
    """An image cannot be built; the text says why and what to do."""


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """``voiceroom/images`` in the user's cache, made if need be."""
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "voiceroom" / "images"
    path.mkdir(parents=True, exist_ok=True)
    return path


def key(parts: Iterable[str | bytes | Path]) -> str:
    """Twelve hexadecimal digits of texts, and of files and folders by their content."""
    digest = sha256()
    for part in parts:
        for name, data in _pieces(part):
            digest.update(f"{name}\0{len(data)}\0".encode())
            digest.update(data)
    return digest.hexdigest()[:_KEY_CHARS]


def _pieces(part: str | bytes | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(part, str):
        yield "", part.encode()
    elif isinstance(part, bytes):
        yield "", part
    elif part.is_dir():
        for path in sorted(_sources(part)):
            yield str(path.relative_to(part)), path.read_bytes()
    else:
        yield part.name, part.read_bytes()


def _sources(root: Path) -> Iterator[Path]:
    """Every file below ``root`` that a person wrote."""
    for path in root.rglob("*"):
        built = _SKIPPED.intersection(path.relative_to(root).parts) or path.suffix in _BUILT
        if path.is_file() and not built:
            yield path


@contextmanager
def made_once(path: Path, make: Callable[[Path], None]) -> Iterator[bool]:
    """Calls ``make`` with a path beside ``path`` unless that is there, and puts the result in
    place whole. Gives whether it was made now. Two at a time do not both make it."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = not path.exists()
        if missing:
            part = path.with_suffix(".part")
            part.unlink(missing_ok=True)
            try:
                make(part)
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)
    yield missing


def prune(kept: Path, pattern: str) -> None:
    """Removes all but the newest files of ``pattern``; ``kept`` stays in any case."""
    found = sorted(kept.parent.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT:]:
        if path != kept:
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)


def remove(path: Path) -> None:
    """A folder and all in it; what root made as well, where this is root."""
    shutil.rmtree(path, ignore_errors=True)
