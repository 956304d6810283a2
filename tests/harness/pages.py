"""What stands in pages of the docs: sections, commands, queries and links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PLACES = {
    "NAMESPACE": "voice",
    "POOL": "default",
    "POD": "m-0",
    "NODE": "n1",
    "ROOM": "lobby",
    "NAME": "monitoring",
    "VERSION": "1.2.3",
}
"""What stands for the reader's own names, and what tests put there."""
PROGRAMS = ("kubectl", "helm")


def sections(text: str) -> dict[str, str]:
    """Of level 2, by title, in their order."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def by_hand(text: str) -> str:
    """Without what ``make generate`` puts between marks."""
    return re.sub(r"<!-- \w+: made by .*?<!-- /\w+ -->", "", text, flags=re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    """Fenced code of a language, without its indent."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def commands(text: str, places: Mapping[str, str] = PLACES) -> Iterator[list[str]]:
    """Command lines of kubectl and helm, in blocks and in sentences, with tests' own names. What a
    sentence only calls by its name (``kubectl voiceroom diagnose``) is none."""
    lines = [line for code in blocks(text, "sh") for line in code.replace("\\\n", " ").split("\n")]
    said = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines += [line for line in said if re.search(r"\b[A-Z]{3,}\b", line) and not _is_form(line)]
    for line in lines:
        if line.startswith(tuple(f"{program} " for program in PROGRAMS)):
            yield shlex.split(placed(line, places), comments=True)


def _is_form(line: str) -> bool:
    """It says what may be left out or chosen."""
    return "[" in line or "|" in line


def placed(text: str, places: Mapping[str, str] = PLACES) -> str:
    """With other names in place of the reader's."""
    return re.sub(r"\b[A-Z]+\b", lambda word: places.get(word[0], word[0]), text)


def links(text: str) -> list[str]:
    """Relative ones."""
    return [to for to in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in to]


def anchors(text: str) -> set[str]:
    """Of its titles, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    return [to for to in links(page.read_text()) if not _leads(page, to)]


def _leads(page: Path, to: str) -> bool:
    path, _, anchor = to.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text())
