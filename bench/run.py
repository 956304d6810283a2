"""Runs the cases, says how it goes, and writes the table."""

from __future__ import annotations

import argparse
import http.client
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bench import prerequisites, report
from bench.context import Context
from bench.errors import BenchError
from bench.facts import machine_facts
from bench.registry import CASES, Case
from bench.report import Row, not_measured
from bench.settings import Settings

_FAILURES: Final = (BenchError, OSError, http.client.HTTPException, subprocess.TimeoutExpired)
"""A server that dies or hangs; anything else is a mistake of the bench and ends it."""
_DESCRIPTION: Final = """\
Measure the mixer beside Janus, LiveKit, cyclictest and a C floor. A table goes to standard output,
all windows to bench/out/, and a run of all cases also to bench/RESULTS.md."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=_DESCRIPTION)
    names = [case.name for case in CASES]
    parser.add_argument("--quick", action="store_true", help="short windows, once: rough figures")
    parser.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="CASE",
        help=f"may be repeated; one of {', '.join(names)}",
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(f"   {text}", flush=True)


def _run_case(case: Case, ctx: Context) -> list[Row]:
    """A case that fails stands in the table with its reason; the others go on."""
    lacking = prerequisites.missing(case.needs)
    if lacking:
        return [not_measured(case.what, "", f"needs {', '.join(lacking)}")]
    try:
        return case.run(ctx)
    except _FAILURES as error:
        _say(f"not measured: {error}")
        return [not_measured(case.what, "", str(error).replace("\n", " ")[:400])]


def _measure(cases: Sequence[Case], ctx: Context) -> list[Row]:
    rows = []
    for n, case in enumerate(cases, 1):
        print(f"== {n} of {len(cases)}: {case.what}", flush=True)
        begin = time.monotonic()
        rows += _run_case(case, ctx)
        _say(f"{time.monotonic() - begin:.0f} s")
    return rows


def _write(rows: Sequence[Row], ctx: Context, *, whole: bool, quick: bool) -> None:
    facts = machine_facts()
    now = datetime.now(UTC)
    path = report.OUT / f"{now:%Y%m%d-%H%M%S}.json"
    report.write_json(path, rows, facts, ctx.windows)
    print(f"\n{report.text_table(rows)}\n\nall windows: {path}")
    if whole and not quick:
        when = f"{now:%Y-%m-%d %H:%M} UTC"
        report.RESULTS.write_text(report.markdown(rows, facts, command="make bench", when=when))
        print(f"table: {report.RESULTS}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2 when something that every case needs is missing; else 0: a missed target is a
    finding, no failure."""
    args = parse(arguments)
    lacking = prerequisites.missing(prerequisites.ALWAYS)
    if lacking:
        print(f"The bench needs more:\n    apt-get install {' '.join(lacking)}", file=sys.stderr)
        return 2
    cases = [case for case in CASES if args.only is None or case.name in args.only]
    ctx = Context(Settings.quick() if args.quick else Settings(), _say)
    rows = _measure(cases, ctx)
    _write(rows, ctx, whole=args.only is None, quick=args.quick)
    return 0
