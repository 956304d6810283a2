"""The laboratory against a real mixer: what it does there happens, and what it did is over."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from voiceroom_driftlab.cli import main
from voiceroom_driftlab.real.session import is_root

KINDS = ("step-one", "step-all", "freeze", "gc", "loop-block")
"""Whose recall and precision were whole in scored runs (docs/detectors.md)."""
CGROUPS = ("throttle", "starved") if is_root() else ()
"""Only root may make cgroups."""


def detect(folder: Path, kinds: tuple[str, ...]) -> list[dict[str, object]]:
    path = folder / "detect.json"
    words = ["detect", "--real", "--repeat", "1", "--seed", "2", "--kinds", ",".join(kinds)]
    assert main([*words, "--json", str(path)]) in (0, 1)
    runs: list[dict[str, object]] = json.loads(path.read_text())["runs"]
    return runs


def left_behind() -> list[str]:
    return [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/*driftlab-detect-{os.getpid()}")]


@pytest.mark.timing
@pytest.mark.timeout(150)
def test_every_fault_happens_and_is_named_where_the_machine_let_it(tmp_path: Path) -> None:
    runs = detect(tmp_path, (*KINDS, *CGROUPS))
    assert {run["kind"] for run in runs} == {*KINDS, *CGROUPS}
    assert [run for run in runs if run["result"] == "void"] == []
    scored = [run for run in runs if run["result"] == "scored"]
    assert [run for run in scored if run["named"] != run["kind"]] == []
    assert left_behind() == []


def test_a_mixer_that_does_not_start_is_told_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert main(["detect", "--real", "--repeat", "1", "--kinds", "gc"]) == 3
    assert "the mixer under test did not become ready" in capsys.readouterr().err
    assert left_behind() == []
