"""The command line of ``kubectl voiceroom``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from voiceroom_api.duration import parse_duration
from voiceroom_api.texts import DNS_LABEL
from voiceroom_kubectl.canary import WISHES

ROLES: Final = ("listener", "speaker", "moderator", "admin")
FORMS: Final = ("table", "json", "yaml")
STRENGTHS: Final = {
    "step": ("ms", 50),
    "saw": ("ms", 50),
    "rate": ("ppm", 500),
    "freeze": ("ms", 200),
}
"""Of the faults that mixers inject into themselves: unit and default."""
ON_NODES: Final = ("throttle", "netem")
"""Faults that the door on a node injects."""
CLOCKS: Final = ("monotonic", "raw", "boottime", "all")
_FAULT_S: Final = 600
_DRILL_S: Final = 10
_MOST_LOSS: Final = 50
_MAX_REASON: Final = 256
_YEAR_S: Final = 365 * 86_400
_NODE: Final = "[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?"
_END: Final = """\
Exit codes: 0 fine; 1 it is not there, or not so; 2 the command line is wrong; 3 the cluster cannot
be reached or refuses."""


class Parser(argparse.ArgumentParser):
    """Errors in one line that names the option."""

    def error(self, message: str) -> NoReturn:
        """Exit code 2."""
        self.exit(2, f"{self.prog}: {message.removeprefix('argument ')}\nTry: {self.prog} --help\n")


def build() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="kubectl voiceroom",
        description="Voice rooms and mixer pools of a cluster.",
        epilog=_END,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in (("rooms", "the rooms, one a line"), ("pools", "the pools, one a line")):
        _everywhere(_add(commands, name, text))
    _add_top(commands)
    _room(_add(commands, "describe", "the story of a room so far, in plain words", forms=True))
    _add_token(commands)
    _add_join(commands)
    _add_pause(commands)
    _room(_add(commands, "resume", "let a room be moved again"))
    _add_move(commands)
    _add_canary(commands)
    _add_diagnose(commands)
    _add_check(commands)
    _add_chaos(commands)
    return parser


def _add(commands: Any, name: str, text: str, *, forms: bool = False) -> Parser:
    command: Parser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
    )
    command.add_argument("-n", "--namespace", type=dns_label, help="default: the context's")
    command.add_argument("--context", help="of the kubeconfig; default: the current one")
    command.add_argument("--kubeconfig", metavar="FILE", help="default: as kubectl finds it")
    if forms:
        command.add_argument("-o", "--output", choices=FORMS, default="table", help="form")
    return command


def _everywhere(command: Parser) -> None:
    command.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    command.add_argument("-o", "--output", choices=FORMS, default="table", help="form")


def _room(command: Parser) -> None:
    command.add_argument("room", type=dns_label, metavar="ROOM", help="the room's name")


def _add_top(commands: Any) -> None:
    top = _add(commands, "top", "lateness of each mixer pod's ticks, and its CPU, measured now")
    _everywhere(top)
    top.add_argument(
        "--seconds", type=Whole(1, 60), default=3, metavar="N", help="how long (default 3)"
    )


def _add_token(commands: Any) -> None:
    token = _add(commands, "token", "print a join token, and nothing else")
    _room(token)
    _say_who(token)


def _say_who(command: Parser) -> None:
    command.add_argument("--role", choices=ROLES, default="speaker", help="default: speaker")
    command.add_argument("--identity", default="", metavar="NAME", help="default: your user name")
    command.add_argument(
        "--ttl", type=duration, metavar="DURATION", help="default: spec.access.tokenTtl of the room"
    )


def _add_join(commands: Any) -> None:
    join = _add(commands, "join", "forward a port to the room's pod and open the join link")
    _room(join)
    _say_who(join)
    join.add_argument("--no-open", action="store_true", help="print the link, open no browser")
    join.add_argument(
        "--port", type=Whole(0, 65_535), default=0, metavar="N", help="here; default: a free one"
    )


def _add_pause(commands: Any) -> None:
    pause = _add(commands, "pause", "let a room not be moved away from a bad timer")
    _room(pause)
    pause.add_argument("--reason", type=reason, required=True, help="others see it in the status")


def _add_move(commands: Any) -> None:
    move = _add(commands, "move", "move a room to another pod; nobody in it has to rejoin")
    _room(move)
    move.add_argument("--to", type=node, metavar="NODE", help="default: any other")
    move.add_argument(
        "--why", type=reason, default="asked for by kubectl voiceroom move", help="for the events"
    )
    move.add_argument("--wait", action="store_true", help="until it has moved, or cannot")
    move.add_argument("--timeout", type=duration, default=60, metavar="DURATION", help="60s")


def _add_canary(commands: Any) -> None:
    canary = _add(commands, "canary", "where a grey release stands, or decide it", forms=True)
    canary.add_argument("pool", metavar="POOL", help="the canary")
    canary.add_argument("wish", nargs="?", choices=tuple(WISHES), help="default: only show")
    canary.add_argument(
        "--why", type=reason, default="asked for by kubectl voiceroom canary", help="for the events"
    )


def _add_diagnose(commands: Any) -> None:
    diagnose = _add(
        commands, "diagnose", "why a timer is off: verdict, evidence and remedy", forms=True
    )
    diagnose.add_argument(
        "target",
        type=target,
        metavar="TARGET",
        help="ROOM, POD or NODE; room/NAME, pod/NAME or node/NAME where names are the same",
    )


def _add_check(commands: Any) -> None:
    check = _add(
        commands,
        "check",
        "join with two clients; each must hear the other and not itself",
    )
    check.add_argument(
        "room", type=dns_label, nargs="?", metavar="ROOM", help="default: one made for the check"
    )
    check.add_argument("--url", metavar="URL", help="of the signalling; default: found by itself")
    check.add_argument("--keep", action="store_true", help="keep the room that was made")
    check.add_argument("--timeout", type=duration, default=120, metavar="DURATION", help="120s")
    check.add_argument("-o", "--output", choices=FORMS, default="table", help="form")


def _add_chaos(commands: Any) -> None:
    chaos = _add(commands, "chaos", "inject a fault into mixer pods, for a while", forms=True)
    chaos.add_argument(
        "kind",
        choices=(*STRENGTHS, *ON_NODES, "show", "end"),
        metavar="FAULT",
        help="step, saw, rate, freeze; throttle, netem; show what runs; end it",
    )
    chaos.add_argument(
        "--pod-selector", required=True, type=selector, metavar="SELECTOR", help="labels of pods"
    )
    chaos.add_argument(
        "--for", dest="seconds", type=fault_time, default=60, metavar="DURATION", help="60s"
    )
    chaos.add_argument(
        "--strength",
        metavar="N",
        help="ms of step, saw and freeze, ppm of rate (50ms, 50ms, 500ppm, 200ms); "
        "write --strength=-50ms",
    )
    chaos.add_argument(
        "--period-ms", type=Whole(100, 60_000), default=1_000, metavar="N", help="of saw and freeze"
    )
    chaos.add_argument(
        "--clock", choices=CLOCKS, default="monotonic", help="whose reading is falsified"
    )
    chaos.add_argument(
        "--drill", action="store_true", help="measure before, under and after it; pass or fail"
    )
    _add_on_nodes(chaos)


def _add_on_nodes(chaos: Parser) -> None:
    """Of the faults that the doors on nodes inject; the door has the last word on bounds."""
    chaos.add_argument(
        "--percent",
        type=Whole(1, 99, "%"),
        default=50,
        metavar="N",
        help="throttle: of its quota of CPU time, that is left to the mixer (default 50)",
    )
    for option, most, usual, what in (
        ("--delay", 1_000, 50, "each packet"),
        ("--jitter", 1_000, 0, "more or less"),
    ):
        chaos.add_argument(
            option,
            type=Whole(0, most, "ms"),
            default=usual,
            metavar="N",
            help=f"netem: ms, {what} (default {usual}ms)",
        )
    chaos.add_argument(
        "--loss", type=share, default=0.0, metavar="N", help="netem: 0 to 50 %% (default 0%%)"
    )
    chaos.add_argument(
        "--door-namespace",
        type=dns_label,
        default="voiceroom",
        metavar="NAMESPACE",
        help="where the chart is installed, for throttle and netem (default voiceroom)",
    )


def share(text: str) -> float:
    """Of packets that are lost, in percent: ``2%`` or ``0.5``."""
    match = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,3})?)%?", text)
    if match is None or float(match[1]) > _MOST_LOSS:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number from 0 to {_MOST_LOSS} %")
    return float(match[1])


def dns_label(text: str) -> str:
    """The name of a room or namespace."""
    try:
        return DNS_LABEL.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from error


def fault_time(text: str) -> int:
    """Seconds, 1 to 600."""
    seconds = duration(text)
    if seconds > _FAULT_S:
        raise argparse.ArgumentTypeError(f"{text} must be from 1s to 10m")
    return seconds


def selector(text: str) -> str:
    """Of labels; whether it is one, the API server says."""
    if not text.strip(", "):
        raise argparse.ArgumentTypeError("must name labels, such as voiceroom.dev/pool=default")
    return text


def _read_strength(args: argparse.Namespace) -> str:
    """Replaces ``args.strength`` by its number; what is wrong with it, or nothing."""
    unit, usual = STRENGTHS[args.kind]
    match = re.fullmatch(rf"([+-]?[0-9]{{1,6}})({unit})?", args.strength or str(usual))
    if match is None:
        return f"--strength: {args.strength!r} must be a whole number of {unit}"
    args.strength = int(match[1])
    return ""


def node(text: str) -> str:
    """The name of a node."""
    if not re.fullmatch(_NODE, text):
        raise argparse.ArgumentTypeError(f"{text!r} must be the name of a node")
    return text


def target(text: str) -> str:
    """A name, or ``room/NAME``, ``pod/NAME``, ``node/NAME``."""
    kind, slash, name = text.partition("/")
    if slash and kind not in ("room", "pod", "node"):
        raise argparse.ArgumentTypeError(f"{kind!r} must be room, pod or node")
    return f"{kind}/{node(name)}" if slash else node(text)


def duration(text: str) -> int:
    """Seconds, 1 to a year."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not 1 <= seconds <= _YEAR_S:
        raise argparse.ArgumentTypeError(f"{text} must be from 1s to 8760h")
    return seconds


def reason(text: str) -> str:
    """1 to 256 characters."""
    if not 1 <= len(text) <= _MAX_REASON:
        raise argparse.ArgumentTypeError(f"must be 1 to {_MAX_REASON} characters")
    return text


class Whole:
    """Reads a whole number within bounds; its unit may stand behind it."""

    def __init__(self, low: int, high: int, unit: str = "") -> None:
        self._low, self._high, self._unit = low, high, unit

    def __call__(self, text: str) -> int:
        """The number."""
        digits = text.removesuffix(self._unit)
        if not digits.isdecimal() or not self._low <= int(digits) <= self._high:
            raise argparse.ArgumentTypeError(
                f"{text!r} must be a whole number from {self._low} to {self._high}"
            )
        return int(digits)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Exits with code 2 when the command line is wrong."""
    parser = build()
    args = parser.parse_args(argv)
    if args.command == "chaos" and (wrong := _wrong_chaos(args)):
        parser.error(wrong)
    return args


def _wrong_chaos(args: argparse.Namespace) -> str:
    if args.kind in ("show", "end"):
        return "--drill: there is nothing to inject" if args.drill else ""
    if args.drill and args.seconds < _DRILL_S:
        return f"--drill: takes --for of at least {_DRILL_S}s"
    return _wrong_on_node(args) if args.kind in ON_NODES else _read_strength(args)


def _wrong_on_node(args: argparse.Namespace) -> str:
    if args.strength is not None:
        options = "--percent" if args.kind == "throttle" else "--delay, --jitter and --loss"
        return f"--strength: {args.kind} takes {options}"
    if args.kind == "netem" and args.jitter > args.delay:
        return f"--jitter: must be at most --delay, {args.delay}ms"
    if args.kind == "netem" and not args.delay and not args.loss:
        return "--delay: must not be 0 where --loss is 0 as well"
    return ""
