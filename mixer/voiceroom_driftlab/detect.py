"""``voiceroom-driftlab detect``: the detectors against faults made on purpose."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from voiceroom_driftlab import score, virtual
from voiceroom_driftlab.real import plan, running, scoring
from voiceroom_driftlab.real.session import is_root, session
from voiceroom_mixer.native.build import BuildError

DEFAULT_SEED: Final = 20_478
DEFAULT_TIMES: Final = 30
HELP: Final = "inject every fault and score what was named"
_EXIT_USAGE: Final = 2
_EXIT_IMPOSSIBLE: Final = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of all strengths and noise")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    virtually = parser.add_argument_group("in virtual time (the default)")
    virtually.add_argument("--times", type=_positive, help="injections of each kind (default 30)")
    virtually.add_argument(
        "--pairs", type=_positive, metavar="N", help="also N times each pair of faults"
    )
    virtually.add_argument(
        "--quiet-hours", type=_amount, metavar="H", help="also so many hours without a fault"
    )
    real = parser.add_argument_group("for real")
    real.add_argument("--real", action="store_true", help="inject into a real mixer here")
    real.add_argument(
        "--repeat", type=_positive, metavar="R", help="injections of each kind (default 30)"
    )
    real.add_argument(
        "--kinds", type=_kinds, metavar="A,B", help=f"only these of {', '.join(plan.NAMES)}"
    )
    real.add_argument(
        "--minutes-quiet", type=_amount, metavar="M",
        help="also so many minutes under a noisy neighbour, without a fault",
    )  # fmt: skip


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0 < amount < 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return amount


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for kind in kinds:
        if kind not in plan.NAMES:
            known = ", ".join(plan.NAMES)
            raise argparse.ArgumentTypeError(f"there is no kind {kind!r}; there are {known}")
    return kinds


def conflicts(options: argparse.Namespace, *, root: bool) -> Iterator[str]:
    """Options that do not go together, each with the fix."""
    if not options.real:
        for name in ("repeat", "kinds", "minutes_quiet"):
            if getattr(options, name) is not None:
                instead = "; in virtual time it is --times" if name == "repeat" else ""
                yield f"argument {_option(name)}: goes with --real only: add --real{instead}"
        return
    for name, instead in (("times", "--repeat"), ("pairs", ""), ("quiet_hours", "--minutes-quiet")):
        if getattr(options, name) is not None:
            fix = f"use {instead}" if instead else "leave it out"
            yield f"argument {_option(name)}: goes without --real only: {fix}"
    wanted = [kind for kind in options.kinds or plan.NAMES if kind in plan.ROOT_KINDS]
    if wanted and not root:
        others = ",".join(kind for kind in plan.NAMES if kind not in plan.ROOT_KINDS)
        yield (
            f"argument --real: {' and '.join(wanted)} need cgroups, which only root may make: "
            f"run as root, or leave them out with --kinds {others}"
        )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def main(options: argparse.Namespace) -> int:
    """0 when every score is reached, 1 when not, 3 when this machine cannot run it."""
    for conflict in conflicts(options, root=is_root()):
        _refuse(conflict)
    try:
        result = _real(options) if options.real else _virtual(options)
    except (BuildError, OSError) as error:
        print(f"voiceroom-driftlab detect: {error}", file=sys.stderr)
        return _EXIT_IMPOSSIBLE
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("passed" if result["passed"] else "NOT passed", file=sys.stderr)
    return 0 if result["passed"] else 1


def _refuse(message: str) -> NoReturn:
    print(f"voiceroom-driftlab detect: error: {message}", file=sys.stderr)
    raise SystemExit(_EXIT_USAGE)


# For real


@dataclass(slots=True)
class _Done:
    """What a run has come to, also when it is stopped."""

    runs: list[scoring.Run] = field(default_factory=list)
    quiet: scoring.Quiet | None = None
    whole: bool = False


def _real(options: argparse.Namespace) -> dict[str, Any]:
    repeat, done = options.repeat or DEFAULT_TIMES, _Done()
    with _terminated_as_interrupted():
        try:
            _inject(options, repeat, done)
        except KeyboardInterrupt:
            _tell("stopped: what follows is of the part that was run")
    _show(done.runs, done.quiet)
    said = {"seed": options.seed, "repeat": repeat} | scoring.as_json(done.runs, done.quiet)
    said["passed"] = said["passed"] and done.whole
    return said


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does: no mixer, process or cgroup is left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _inject(options: argparse.Namespace, repeat: int, done: _Done) -> None:
    kinds = options.kinds or plan.NAMES
    injections = plan.schedule(options.seed, kinds, repeat, root=is_root())
    with session(os.environ) as here:
        for run in running.run_all(here, injections, _tell):
            done.runs.append(run)
        if options.minutes_quiet:
            done.quiet = running.quiet(here, options.seed, options.minutes_quiet)
    if is_root() and plan.NOTHING in kinds:
        with session(os.environ, time_namespace=True) as ahead:
            done.runs.append(running.in_time_namespace(ahead, _tell))
    done.whole = True


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(runs: list[scoring.Run], quiet: scoring.Quiet | None) -> None:
    print(score.as_table([run.outcome for run in runs if run.result == "scored"]))
    for line in scoring.left_out(runs):
        print(f"- {line}")
    for kind in scoring.never_scored(runs):
        print(f"- nothing is known of {kind}: none of its injections counts")
    if quiet is None:
        return
    print(
        f"\n{quiet.minutes:.1f} min under a noisy neighbour, {quiet.ticks} ticks, {quiet.late} of "
        f"them a frame late and {quiet.late_5ms} by 5 ms; {quiet.stolen_share:.1%} of the CPUs "
        f"stolen: {len(quiet.verdicts)} verdicts, {quiet.false} of them false"
    )
    for one in quiet.verdicts:
        kind = "borne out" if one.borne_out else "false"
        print(f"- {kind}: {one.kind} for {one.lasted_s:.1f} s, waited {one.waited_ms:.0f} ms")


# In virtual time


def _virtual(options: argparse.Namespace) -> dict[str, Any]:
    times = options.times or DEFAULT_TIMES
    outcomes = list(virtual.singles(options.seed, times))
    result = {"seed": options.seed, "times": times, **score.as_json(outcomes)}
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
