"""The laboratory's score over the mixer's own detectors, in virtual time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voiceroom_driftlab import score, virtual
from voiceroom_driftlab.cli import main
from voiceroom_driftlab.detect import DEFAULT_SEED
from voiceroom_driftlab.score import Outcome
from voiceroom_mixer.core.timing.detect.verdicts import KINDS


def outcome(kind: str | None, named: str | None) -> Outcome:
    return Outcome(kind, "made up", 1.0, named, 1, 0.1)  # type: ignore[arg-type]


def test_every_kind_is_named_and_nothing_is_named_without_one() -> None:
    outcomes = list(virtual.singles(DEFAULT_SEED, 3))
    assert len(outcomes) == 3 * (len(KINDS) + 1)
    assert [one for one in outcomes if one.named != one.kind] == []


def test_stopped_ticks_are_named_within_five_and_rates_within_twelve_seconds() -> None:
    outcomes = list(virtual.singles(DEFAULT_SEED, 3))
    assert max(one.ticks for one in outcomes) <= score.MAX_TICKS
    assert max(one.seconds for one in outcomes if one.kind == "rate") <= score.MAX_SECONDS


def test_the_greater_of_two_faults_is_named() -> None:
    pairs = list(virtual.pairs(DEFAULT_SEED, 1))
    assert len(pairs) >= 10
    assert [pair for pair in pairs if pair.named != pair.greater] == []


def test_a_noisy_neighbour_alone_is_no_fault() -> None:
    assert virtual.quiet(DEFAULT_SEED, 0.25).false_verdicts == 0


def test_the_same_seed_makes_the_same_run() -> None:
    assert list(virtual.singles(7, 1)) == list(virtual.singles(7, 1))


def test_a_wrong_name_costs_precision_of_one_and_recall_of_the_other() -> None:
    outcomes = [outcome("gc", "gc"), outcome("gc", "gil"), outcome("gil", "gil")]
    marks = score.marks(outcomes)
    assert (marks["gc"].precision, marks["gc"].recall) == (1.0, 0.5)
    assert (marks["gil"].precision, marks["gil"].recall) == (0.5, 1.0)
    assert not score.passed(marks)


def test_a_verdict_without_a_fault_costs_precision() -> None:
    marks = score.marks([outcome("gc", "gc"), outcome(None, "gc")])
    assert marks["gc"].precision == 0.5


def test_the_command_prints_the_matrix_and_writes_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "detect.json"
    assert main(["detect", "--seed", "3", "--times", "1", "--json", str(path)]) == 0
    assert "| step-one | 1 |" in capsys.readouterr().out
    assert json.loads(path.read_text())["passed"] is True


@pytest.mark.parametrize("times", ["0", "-1", "many"])
def test_a_wrong_count_is_refused(times: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["detect", "--times", times])
    assert "is not a number from 1 on" in capsys.readouterr().err
