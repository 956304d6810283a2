"""The command line of ``voiceroom-clock-probe``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Final, get_args

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.cli import values
from voiceroom_mixer.cli.arguments import Parser
from voiceroom_mixer.clockprobe.crew import Ask
from voiceroom_mixer.clockprobe.latency.choose import Wanted

PRIORITY: Final = 9
"""One below a mixer's media process: a probe never runs before a tick."""
_TEXT: Final = """\
Tell how late timers wake on each CPU that this process may use. Each visit is an absolute sleep,
with SCHED_FIFO where that is granted; /metrics says which it got."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Exits with code 2 when they are wrong."""
    parser = Parser(prog="voiceroom-clock-probe", description=_TEXT, allow_abbrev=False)
    parser.add_argument(
        "--listen",
        type=values.endpoint,
        default="127.0.0.1:9465",
        metavar="HOST:PORT",
        help="/metrics and /healthz (default %(default)s)",
    )
    _add_visits(parser)
    parser.add_argument(
        "--sched-latency",
        choices=get_args(Wanted),
        default="none",
        help="how long media processes of this machine wait for a CPU; needs its pid namespace, "
        "and for ebpf the capabilities BPF and PERFMON (default %(default)s)",
    )
    return parser.parse_args(arguments)


def _add_visits(parser: Parser) -> None:
    parser.add_argument(
        "--parallel",
        action="store_true",
        help="visit all CPUs at once, with a process for each (default: one process, in turn)",
    )
    for option, default, most, what in (
        ("--interval-ms", 20, 1000, "between two visits of a process"),
        ("--priority", PRIORITY, 98, "of SCHED_FIFO"),
    ):
        parser.add_argument(
            option,
            type=partial(values.whole, 1, most),
            default=str(default),
            metavar="N",
            help=f"{what}, 1 to {most} (default %(default)s)",
        )
    parser.add_argument(
        "--no-fifo", action="store_true", help="do not ask for SCHED_FIFO: be scheduled as others"
    )


def ask(args: argparse.Namespace) -> Ask:
    """How to measure."""
    return Ask(
        interval_ns=args.interval_ms * NS_PER_MS,
        parallel=args.parallel,
        fifo=not args.no_fifo,
        priority=args.priority,
    )
