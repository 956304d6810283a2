"""Reads ``charts/voiceroom/values.yaml``: keys, defaults, and the comment above each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "charts" / "voiceroom"
_MARK: Final = "# -- "
_LINE: Final = re.compile(r"(?P<indent> *)(?:(?P<comment>#.*)|(?P<key>[A-Za-z][A-Za-z0-9]*):.*)")


@dataclass(frozen=True)
class Value:
    """One value that a user may set."""

    path: str
    """``image.tag``."""
    default: Any
    says: str


def defaults() -> dict[str, Any]:
    """``values.yaml``, parsed."""
    parsed = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert isinstance(parsed, dict)
    return parsed


def values() -> list[Value]:
    """Every documented value, in the file's order."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    given = defaults()
    return [Value(path, _at(given, path), says) for path, says in _documented(text)]


def _at(given: Mapping[str, Any], path: str) -> Any:
    found: Any = given
    for key in path.split("."):
        found = found[key]
    return found


def _documented(text: str) -> Iterator[tuple[str, str]]:
    """Path and comment of each key that has a ``# --`` comment right above it."""
    stack: list[tuple[int, str]] = []
    says: list[str] = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            says = []
        elif comment := match["comment"]:
            says = [*_begun(comment, says), comment.removeprefix(_MARK).removeprefix("#").strip()]
        else:
            indent = len(match["indent"])
            stack = [entry for entry in stack if entry[0] < indent] + [(indent, match["key"])]
            if says and not _is_prose(says):
                yield ".".join(key for _, key in stack), " ".join(says[1:])
            says = []


def _begun(comment: str, says: list[str]) -> list[str]:
    """A mark begins a comment anew; an empty first entry says that one was seen."""
    return [""] if comment.startswith(_MARK) else says


def _is_prose(says: list[str]) -> bool:
    return says[0] != ""
