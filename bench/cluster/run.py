"""Runs it and writes the table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import report
from bench.cluster import cases
from bench.cluster.settings import Settings
from bench.cluster.site import site
from bench.errors import BenchError
from bench.facts import machine_facts
from bench.procfs import machine_time
from bench.report import Row, not_measured
from localcluster import preconditions

CLUSTER: Final = Path(__file__).resolve().parents[1] / "CLUSTER.md"
_DESCRIPTION: Final = """\
Measure the operator on a cluster of its own on this machine: 1,000 rooms on 20 mixer pods. A table
goes to standard output, all of it to bench/out/; a whole run also writes bench/CLUSTER.md."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=_DESCRIPTION)
    parser.add_argument("--quick", action="store_true", help="few pods and rooms: does it work")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(f"== {text}", flush=True)


def _measure(settings: Settings) -> list[Row]:
    """A failure ends it, and so does Ctrl-C; what was measured before stands."""
    rows: list[Row] = []
    try:
        with site(settings) as made:
            for row in cases.run(made, _say):
                rows.append(row)
                print(f"   {row.figure}: {row.ours}", flush=True)
    except (BenchError, KeyboardInterrupt) as error:
        why = str(error) or "it was ended by hand"
        _say(f"not measured: {why}")
        rows.append(not_measured("the rest", "", why.replace("\n", " ")[:400]))
    return rows


def facts(settings: Settings, busy: float) -> dict[str, str]:
    """What stands above the table; ``busy``: share of all CPU time of the machine, 0..1."""
    about = {
        "cluster": f"two nodes and the control plane, all on this machine; {settings.pods} mixer "
        "pods, and the bench itself, share its CPUs",
        "load": f"{100 * busy:.0f} % of all CPUs over the whole run, averages at its end "
        + ", ".join(f"{value:.1f}" for value in os.getloadavg()),
    }
    return machine_facts() | about


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2 when this machine can run no cluster, 1 when something was not measured."""
    args = parse(arguments)
    if reason := preconditions.reason():
        print(reason, file=sys.stderr)
        return 2
    settings = Settings.quick() if args.quick else Settings()
    before = machine_time()
    rows = _measure(settings)
    busy = 1 - machine_time().since(before).idle_share
    _write(rows, facts(settings, busy), whole=not args.quick)
    return int(any(row.verdict == "not measured" for row in rows))


def _write(rows: Sequence[Row], about: dict[str, str], *, whole: bool) -> None:
    now = datetime.now(UTC)
    path = report.OUT / f"cluster-{now:%Y%m%d-%H%M%S}.json"
    report.write_json(path, rows, about, {})
    print(f"\n{report.text_table(rows)}\n\nall of it: {path}")
    if whole:
        when = f"{now:%Y-%m-%d %H:%M} UTC"
        text = report.markdown(rows, about, command="make bench-cluster", when=when)
        CLUSTER.write_text(text)
        print(f"table: {CLUSTER}")
