"""The command line, and what it does when a case cannot be measured."""

from __future__ import annotations

import pytest
from bench import run
from bench.context import Context
from bench.errors import BenchError
from bench.registry import CASES, Case
from bench.report import Row
from bench.settings import Settings


def context() -> Context:
    return Context(Settings.quick(), lambda _: None)


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_an_unknown_case_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        run.parse(["--only", "nonsense"])
    assert "mouth-to-ear" in capsys.readouterr().err


def test_a_case_that_fails_leaves_a_row_and_the_others_go_on() -> None:
    def fail(_: Context) -> list[Row]:
        raise BenchError("the server died")

    def work(_: Context) -> list[Row]:
        return [Row("figure", "1", "2", 0.5, "<= 1 x", "met")]

    cases = [Case("a", "first", fail), Case("b", "second", work)]
    rows = [row for case in cases for row in run._run_case(case, context())]
    assert [row.verdict for row in rows] == ["not measured", "met"]
    assert rows[0].note == "the server died"


def test_what_a_case_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    rows = run._run_case(Case("a", "first", lambda _: [], ("janus", "cyclictest")), context())
    assert rows[0].note == "needs janus, rt-tests"


def test_without_its_tools_the_bench_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert run.main([]) == 2
    said = capsys.readouterr().err
    assert "apt-get install gcc" in said
    assert "espeak-ng sox" in said
