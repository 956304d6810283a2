"""Every query of every board has an answer of few series from a real Prometheus that scraped a real
run, and so have those of the pages that ask for no more than is there. The operator's figures are
of its own meters, after a drift and a canary among simulated pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import boardrun, boardworld, pages
from harness.boardrun import Prometheus
from harness.charts import ROOT, tool
from voiceroom_dashboards.boards import document

pytestmark = pytest.mark.timeout(300)
RULES = ROOT / "dashboards" / "voiceroom.rules.yaml"
WITHIN_S = 150
"""Rules are evaluated every 15 s, and a rate takes two scrapes."""
MOST_SERIES = 64
"""Of one query, with one pod and one node: a line for each leg or request would be more."""
QUERIES = {
    boardworld.ask(query.expr): f"{board.name}: {panel.title}"
    for board in document.BOARDS
    for panel in board.panels()
    for query in panel.queries
}
ON_PAGES = {
    boardworld.ask(pages.placed(query)).strip(): page.stem
    for page in sorted(pages.DOCS.rglob("*.md"))
    for query in pages.blocks(pages.by_hand(page.read_text(encoding="utf-8")), "promql")
}
BEYOND = ("voiceroom_operator_api_requests_total", "ALERTS")
"""What the simulated town lacks, and what a longer run would have."""
NOT_SAID = {
    "operator: Calls by answer",
    "operator: Calls by what is asked",
    "operator: News from watches",
    "operator: Watches begun again, news missed",
}
"""Of the API server, which the simulated town does without."""


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus, for the module."""
    folder: Path = tmp_path_factory.mktemp("boards")
    with boardrun.scraped(tool("prometheus"), RULES, folder) as prometheus:
        yield prometheus


def test_no_panel_is_empty_and_none_has_too_many_lines(watching: Prometheus) -> None:
    asked = [expr for expr, panel in QUERIES.items() if panel not in NOT_SAID]
    empty = watching.empty(asked, WITHIN_S)
    assert {QUERIES[expr] for expr in empty} == set(), empty
    for board in document.BOARDS:
        for mark in board.marks:
            watching.series(boardworld.ask(mark.expr))  # raises where it is none
    many = {QUERIES[expr] for expr in asked if watching.series(expr) > MOST_SERIES}
    assert many == set()


def test_what_runbooks_ask_for_is_there(watching: Prometheus) -> None:
    asked = [expr for expr in ON_PAGES if not any(name in expr for name in BEYOND)]
    plain = [expr for expr in asked if not re.search(r" (==|>=?|<) ", expr)]
    assert len(plain) > 40
    assert {expr: ON_PAGES[expr] for expr in watching.empty(plain, WITHIN_S)} == {}
    for expr in ON_PAGES:
        watching.series(expr)  # raises where it is none


def test_an_empty_panel_would_be_found(watching: Prometheus) -> None:
    gone = 'max by (pod) (voiceroom_ready{pod="another"})'
    assert watching.empty([gone, "vector(1)"], within_s=0) == [gone]
