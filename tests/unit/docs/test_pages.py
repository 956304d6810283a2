"""Pages of the docs name what there is: links, commands, queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import kubelines, pages
from harness.series import exposed, used
from voiceroom_dashboards.rules import document
from voiceroom_dashboards.rules.model import Record

PAGES = [
    *sorted(pages.DOCS.rglob("*.md")),
    pages.ROOT / "README.md",
    pages.ROOT / "CONTRIBUTING.md",
]
RECORDS = {
    rule.name for group in document.GROUPS for rule in group.rules if isinstance(rule, Record)
}
OTHERS = {"up"}

each = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(pages.ROOT)))


@each
def test_no_link_leads_nowhere(page: Path) -> None:
    assert pages.broken(page) == []


def test_a_link_that_leads_nowhere_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One\n[a](page.md#one) [b](page.md#two) [c](gone.md) [d](https://x.example)\n"
    )
    assert pages.broken(page) == ["page.md#two", "gone.md"]


@each
def test_commands_name_what_there_is(page: Path) -> None:
    found = (kubelines.wrong(line) for line in pages.commands(page.read_text(encoding="utf-8")))
    assert [wrong for wrong in found if wrong] == []


@each
def test_queries_read_only_what_is_exposed(page: Path) -> None:
    for query in pages.blocks(page.read_text(encoding="utf-8"), "promql"):
        assert used(query) <= exposed() | RECORDS | OTHERS, query
