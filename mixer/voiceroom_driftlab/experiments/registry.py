"""The experiments by name. Each is a module of its own, imported when it is asked for: what the
extra ``lab`` brings is missed by nobody who does not use it."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from voiceroom_driftlab.experiments.result import Progress, Result

Run = Callable[[argparse.Namespace, Progress], Result]
DEFAULT_SEED: Final = 20_478


@dataclass(frozen=True, slots=True)
class Experiment:
    """One subcommand."""

    name: str
    help: str
    run: Run
    add_arguments: Callable[[argparse.ArgumentParser], None]
    """Beside ``--json``, ``--plot`` and ``--quick``, which all have."""


def _module(name: str) -> Any:
    return importlib.import_module(f"voiceroom_driftlab.experiments.lab_{name}")


def _measured(name: str, what: str) -> Experiment:
    """On this machine's clocks: ``run(quick, progress)`` of its module."""

    def run(options: argparse.Namespace, progress: Progress) -> Result:
        found: Result = _module(name).run(options.quick, progress)
        return found

    return Experiment(name, what, run, lambda _: None)


def _computed(name: str, what: str) -> Experiment:
    """In virtual time: ``run(quick, seed, progress)`` of its module, the same for the same seed."""

    def run(options: argparse.Namespace, progress: Progress) -> Result:
        found: Result = _module(name).run(options.quick, options.seed, progress)
        return found

    return Experiment(name, what, run, _add_seed)


def _pcapcheck() -> Experiment:
    """Of files of the reader's."""

    def run(options: argparse.Namespace, progress: Progress) -> Result:
        found: Result = _module("pcapcheck").run(options, progress)
        return found

    what = "a capture and a mixer's log as one timeline (S3.2)"
    return Experiment("pcapcheck", what, run, _add_files)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("capture", type=Path, metavar="FILE", help="pcap or pcapng, also cut short")
    parser.add_argument("--log", type=Path, metavar="FILE", help="the mixer's, --log-format json")


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of everything random")


EXPERIMENTS: Final = (
    _measured("clocks", "what reading a clock costs, Python beside C (S2.2, S4.1, S5.4)"),
    _measured("pauses", "gc and GIL: lateness and no clock error; pauses inferred (S2.3)"),
    _measured("timers", "what each way to wait adds up to, and how it sounds (S2.5)"),
    _measured("ab", "deviation, jitter and breaks of each timer backend (S3.3)"),
    _measured("block", "a blocking read in a callback, and how it spreads (S3.1)"),
    _measured("pts", "timestamps by the wall clock and by a sample counter (S5.1)"),
    _computed("jitter", "jitter buffers over networks: ours, 80 ms, aiortc's (S3.2, S5.3)"),
    _computed("heap", "which timers misfire when the clock steps (S2.4)"),
    _computed("sched", "the article's weights beside earliest deadline first (S4.2)"),
    _pcapcheck(),
    _measured("torture", "a tone through a mixer while its time goes bad; a score card (S4.4)"),
)
