"""Every query of every board, by Prometheus's own parser and engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from harness import boardworld, promtool
from harness.charts import ROOT, tool
from voiceroom_dashboards.boards import document

RULES = ROOT / "dashboards" / "voiceroom.rules.yaml"
EXPRS = [
    boardworld.ask(query.expr)
    for board in document.BOARDS
    for panel in board.panels()
    for query in panel.queries
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


def test_a_query_that_is_not_would_be_found(program: Path, tmp_path: Path) -> None:
    assert "parse error" in parse(program, tmp_path / "boards.yaml", [*EXPRS, "sum by (pod) (up"])


def test_every_query_has_an_answer_where_all_metrics_are_there(
    program: Path, tmp_path: Path
) -> None:
    groups = [boardworld.something(EXPRS)]
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
    groups = [boardworld.something([*EXPRS, expr])]
    assert "FAILED" in promtool.run(program, RULES, tmp_path / "test.yaml", groups)
