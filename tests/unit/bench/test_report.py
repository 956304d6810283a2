"""Verdicts and tables."""

from __future__ import annotations

import json
from pathlib import Path

from bench import report
from bench.report import Row, Target

ROWS = [
    Row("CPU per leg", "0.1 %", "1.7 %", 0.0588, "<= 0.1 x", "met", "a note"),
    report.not_measured("LiveKit", "", "needs go"),
]


def test_a_target_is_met_up_to_its_edge() -> None:
    at_most = Target(at_most=0.1)
    assert at_most.judge(0.1) == "met"
    assert at_most.judge(0.1001) == "missed"


def test_a_target_may_ask_for_at_least() -> None:
    assert Target(at_least=500, unit="legs").judge(500) == "met"
    assert Target(at_least=500, unit="legs").judge(400) == "missed"


def test_stolen_time_is_no_excuse_and_no_success() -> None:
    assert Target(at_most=0.1).judge(0.01, conclusive=False) == "inconclusive"
    assert Target(at_most=0.1).judge(9.0, conclusive=False) == "inconclusive"


def test_a_target_says_what_it_asks() -> None:
    assert str(Target(at_most=45, unit="ms")) == "<= 45 ms"
    assert str(Target(at_least=500, unit="legs")) == ">= 500 legs"


def test_columns_stand_below_each_other() -> None:
    head, rule, first, second = report.text_table(ROWS).splitlines()
    assert head.index("target") == first.index("<= 0.1 x")
    assert head.index("verdict") == second.index("not measured")
    assert set(rule) == {"-", " "}


def test_markdown_names_rows_in_its_notes() -> None:
    text = report.markdown(ROWS, {"CPU": "2 x"}, command="make bench", when="today")
    assert "| 1 | CPU per leg | 0.1 % | 1.7 % | 0.06 | <= 0.1 x | met |" in text
    assert "2. needs go" in text
    assert "- CPU: 2 x" in text


def test_json_keeps_every_window(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.json"
    report.write_json(path, ROWS, {"CPU": "x"}, {"floor": [1, 2]})
    whole = json.loads(path.read_text())
    assert whole["windows"] == {"floor": [1, 2]}
    assert whole["rows"][1]["verdict"] == "not measured"
