"""Every query of every board and page, by Prometheus's own parser and engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from harness import boardworld, pages, promtool
from harness.charts import ROOT, tool
from voiceroom_dashboards.boards import document

RULES = ROOT / "dashboards" / "voiceroom.rules.yaml"
PANELS = [
    boardworld.ask(query.expr)
    for board in document.BOARDS
    for panel in board.panels()
    for query in panel.queries
]
MARKS = {mark.name: boardworld.ask(mark.expr) for board in document.BOARDS for mark in board.marks}
EXPRS = [*PANELS, *MARKS.values()]
ON_PAGES = [
    boardworld.ask(pages.placed(query)).strip()
    for page in sorted(pages.DOCS.rglob("*.md"))
    for query in pages.blocks(page.read_text(encoding="utf-8"), "promql")
]


@pytest.fixture(scope="module")
def program() -> Path:
    """Built, or the tests are skipped."""
    return tool("promtool")


def parse(program: Path, file: Path, exprs: list[str]) -> str:
    """What promtool says against them as rules; empty when it takes all."""
    rules = [{"record": f"board:query{n}:it", "expr": expr} for n, expr in enumerate(exprs)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": rules}]}))
    command = [str(program), "check", "rules", "--lint=none", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_every_query_is_promql(program: Path, tmp_path: Path) -> None:
    assert not [expr for expr in EXPRS if "$" in expr]
    assert parse(program, tmp_path / "boards.yaml", EXPRS) == ""


def test_every_query_of_a_page_is_promql(program: Path, tmp_path: Path) -> None:
    assert len(ON_PAGES) > 100
    assert parse(program, tmp_path / "pages.yaml", ON_PAGES) == ""


def test_a_query_that_is_not_would_be_found(program: Path, tmp_path: Path) -> None:
    assert "parse error" in parse(program, tmp_path / "boards.yaml", [*EXPRS, "sum by (pod) (up"])


def test_every_query_has_an_answer_where_all_metrics_are_there(
    program: Path, tmp_path: Path
) -> None:
    groups = [boardworld.something(PANELS)]
    assert promtool.run(program, RULES, tmp_path / "test.yaml", groups) == ""


@pytest.mark.parametrize(
    "expr",
    [
        'max by (pod) (voiceroom_ready{pod="another"})',
        # the clock probe of a node does not know of pools
        'sum by (pod) (voiceroom_sched_latency_seconds_bucket{pool="default"})',
    ],
)
def test_a_query_without_an_answer_would_be_found(program: Path, tmp_path: Path, expr: str) -> None:
    groups = [boardworld.something([*PANELS, expr])]
    assert "FAILED" in promtool.run(program, RULES, tmp_path / "test.yaml", groups)


@pytest.mark.parametrize(
    ("mark", "phase"),
    [("Promoted", "Promoting"), ("Promoted", "Promoted"), ("Rolled back", "RolledBack")],
)
def test_a_mark_is_there_for_a_minute_from_when_the_phase_began(
    program: Path, tmp_path: Path, mark: str, phase: str
) -> None:
    group = boardworld.turned(phase, MARKS[mark], {240: 0, 300: 1, 345: 1, 360: 0, 600: 0})
    assert promtool.run(program, RULES, tmp_path / "test.yaml", [group]) == ""


def test_a_mark_of_another_phase_is_not_there(program: Path, tmp_path: Path) -> None:
    group = boardworld.turned("RolledBack", MARKS["Promoted"], {300: 1})
    assert "FAILED" in promtool.run(program, RULES, tmp_path / "test.yaml", [group])


def test_another_leader_makes_no_mark(program: Path, tmp_path: Path) -> None:
    group = boardworld.turned("Promoted", MARKS["Promoted"], {300: 1, 420: 0, 435: 0})
    group["input_series"] += boardworld.led_from(420, "Promoted")
    assert promtool.run(program, RULES, tmp_path / "test.yaml", [group]) == ""
