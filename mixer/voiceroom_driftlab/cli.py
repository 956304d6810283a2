"""``voiceroom-driftlab detect``: the detectors against faults made on purpose."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voiceroom_driftlab import score, virtual

DEFAULT_SEED = 20_478


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="voiceroom-driftlab", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    detect = commands.add_parser("detect", help="inject every fault and score what was named")
    detect.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of all strengths and noise")
    detect.add_argument("--times", type=_positive, default=30, help="injections of each kind")
    detect.add_argument(
        "--pairs", type=int, default=0, metavar="N", help="also N times each pair of faults"
    )
    detect.add_argument(
        "--quiet-hours", type=float, default=0.0, help="also so many hours without a fault"
    )
    detect.add_argument("--json", type=Path, help="write everything to this file")
    return top


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every score is reached, 1 when not."""
    options = parser().parse_args(arguments)
    result = _virtual(options)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if result["passed"] else 1


def _virtual(options: argparse.Namespace) -> dict[str, Any]:
    outcomes = list(virtual.singles(options.seed, options.times))
    result = {"seed": options.seed, "times": options.times, **score.as_json(outcomes)}
    print(score.as_table(outcomes))
    if options.pairs:
        result["pairs"] = _pairs(options.seed, options.pairs)
        result["passed"] = result["passed"] and all(
            p["share"] >= score.PASS for p in result["pairs"]
        )
    if options.quiet_hours:
        quiet = virtual.quiet(options.seed, options.quiet_hours)
        print(f"\n{quiet.hours:g} h, {quiet.ticks} ticks: {quiet.false_verdicts} false verdicts")
        result["quiet"] = quiet._asdict()
        result["passed"] = result["passed"] and quiet.false_verdicts <= 1
    print("passed" if result["passed"] else "NOT passed", file=sys.stderr)
    return result


def _pairs(seed: int, times: int) -> list[dict[str, Any]]:
    """How often the greater of two was named, for each pair."""
    right: Counter[tuple[str, str]] = Counter()
    named: dict[tuple[str, str], Counter[str]] = {}
    for pair in virtual.pairs(seed, times):
        key = (pair.greater, pair.lesser)
        right[key] += pair.named == pair.greater
        named.setdefault(key, Counter())[pair.named] += 1
    print("\n| greater | lesser | greater named |\n| --- | --- | --- |")
    for key, names in named.items():
        print(f"| {key[0]} | {key[1]} | {right[key]} of {times} {dict(names)} |")
    return [
        {"greater": a, "lesser": b, "share": right[a, b] / times, "named": dict(names)}
        for (a, b), names in named.items()
    ]
