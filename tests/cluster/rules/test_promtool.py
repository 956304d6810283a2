"""Every alert fires when it must, not when it must not, and ends: by Prometheus's own engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness import promtool
from harness.alertcases import PROMPT_S, Case
from harness.charts import ROOT, tool
from harness.servicecases import CASES
from voiceroom_dashboards.rules import document

RULES = ROOT / "dashboards" / "voiceroom.rules.yaml"


@pytest.fixture(scope="module")
def program() -> Path:
    """Built, or the tests are skipped."""
    return tool("promtool")


def test_the_rules_are_taken_and_nothing_about_them_is_odd(program: Path) -> None:
    command = [str(program), "check", "rules", "--lint=all", "--lint-fatal", str(RULES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_it_fires_in_time_and_resolves(program: Path, tmp_path: Path, case: Case) -> None:
    groups = [promtool.fires_and_resolves(case)]
    assert promtool.run(program, RULES, tmp_path / "test.yaml", groups) == ""


@pytest.mark.parametrize("case", [case for case in CASES if case.near], ids=lambda c: c.alert)
def test_it_does_not_fire_for_less(program: Path, tmp_path: Path, case: Case) -> None:
    groups = list(promtool.stays_quiet(case))
    assert promtool.run(program, RULES, tmp_path / "test.yaml", groups) == ""


def test_the_watchdog_always_fires(program: Path, tmp_path: Path) -> None:
    assert promtool.run(program, RULES, tmp_path / "test.yaml", [promtool.always()]) == ""


def test_what_the_operator_acts_on_fires_promptly() -> None:
    prompt = {case.alert for case in CASES if case.within_s <= PROMPT_S}
    acted_on = {alert.name for alert in document.alerts() if alert.timing}
    # steps that go on are counted over five minutes: each by itself is bridged
    assert acted_on - prompt == {"VoiceroomClockStepsRepeat"}


def test_a_case_that_is_wrong_is_found(program: Path, tmp_path: Path) -> None:
    (quiet, *_) = (case for case in CASES if case.alert == "VoiceroomTicksLost")
    wrong = Case(quiet.alert, quiet.labels, quiet.near[0], (quiet.ill,))
    for groups in ([promtool.fires_and_resolves(wrong)], list(promtool.stays_quiet(wrong))):
        assert "FAILED" in promtool.run(program, RULES, tmp_path / "test.yaml", groups)
