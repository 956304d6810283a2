"""Runs the checks in stages, each with a time budget, and says what each took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from localcluster.tools import TOOLS

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
BIN = Path(PYTHON).parent
END_S = 60
"""What a stage over its budget gets to clean up."""


@dataclass(frozen=True)
class Stage:
    """One command, and how long it may take from an empty machine."""

    name: str
    budget_s: int
    command: tuple[str, ...]


def _pytest(*paths: str) -> tuple[str, ...]:
    return (PYTHON, "-m", "pytest", "-q", *paths)


def _cluster(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"tests/cluster/{part}" for part in parts)


LINT = (
    Stage("lint", 60, (str(BIN / "ruff"), "check", ".")),
    Stage("format", 60, (str(BIN / "ruff"), "format", "--check", ".")),
    Stage("layers", 60, (str(BIN / "lint-imports"),)),
)
TYPE = (Stage("types", 240, (str(BIN / "mypy"),)),)
# None of these measures anything, so that all cores may be at work.
PARALLEL = ("-n", "auto", "--dist=worksteal")
FAST = (Stage("unit and property", 420, _pytest(*PARALLEL, "tests/unit", "tests/property")),)
SLOW = (
    Stage("contract", 120, _pytest("tests/contract")),
    Stage("integration", 1800, _pytest("tests/integration")),
    Stage("browsers", 900, _pytest("tests/e2e")),
)
# In this order: `machine` wants nodes with nothing on them. Faults, drift, alerts, clock probe,
# chaos, canary and runbooks take longer than all of these together: `make e2e` runs them too.
PARTS = ("api", "chart", "kubectl", "machine", "rooms", "rules")
# Programs of Kubernetes are compiled once and kept outside of the checkout: 20 minutes on
# two cores from an empty machine, a second afterwards.
PROGRAMS = tuple(tool.name for tool in TOOLS if tool.name != "alertmanager")
CLUSTER = (
    Stage("cluster programs", 1800, (PYTHON, "-m", "localcluster", "build", *PROGRAMS)),
    Stage("cluster", 2700, _pytest(*_cluster(PARTS))),
)
SETS = {
    "all": LINT + TYPE + FAST + SLOW + CLUSTER,
    "fast": FAST,
    "lint": LINT,
    "type": TYPE,
}


def _run(stage: Stage) -> tuple[bool, float]:
    """Whether the stage passed within its budget, and the seconds that it took."""
    print(f"== {stage.name} (budget {stage.budget_s} s)", flush=True)
    begin = time.monotonic()
    env = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    with subprocess.Popen(stage.command, cwd=ROOT, env=env) as running:
        try:
            passed = running.wait(stage.budget_s) == 0
        except subprocess.TimeoutExpired:
            print(f"-- {stage.name}: over its budget of {stage.budget_s} s", flush=True)
            _end(running)
            passed = False
    return passed, time.monotonic() - begin


def _end(running: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does, so that fixtures take down what they started."""
    running.send_signal(signal.SIGINT)
    try:
        running.wait(END_S)
    except subprocess.TimeoutExpired:
        running.kill()


def main(name: str) -> int:
    """Run a set of stages; all of them, so that one red stage does not hide another."""
    results = [(stage, *_run(stage)) for stage in SETS[name]]
    print("\n== summary")
    for stage, passed, seconds in results:
        word = "ok" if passed else "FAILED"
        print(f"{stage.name:20} {word:7} {seconds:6.1f} s of {stage.budget_s} s")
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
