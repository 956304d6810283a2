"""The command line: options, defaults and help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NoReturn, get_args

from voiceroom_mixer.cli import values
from voiceroom_mixer.config import LogFormat
from voiceroom_mixer.core.state.legstate import Role

DAY_S: Final = 86_400
YEAR_S: Final = 365 * DAY_S
RTP_ALLOW: Final = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
"""Loopback and private ranges."""

_RUN_TEXT: Final = """\
Run the rooms of VoiceRoom documents on this machine: the same YAML that Kubernetes takes.
When it is ready, a link for a speaker and one for a listener are printed for each room."""
_RUN_END: Final = """\
Ctrl-C or SIGTERM lets nobody else in and ends when the last one has left, or after the drain
deadline; a second one ends at once.

example: voiceroom-mixer run examples/lobby.yaml --http 0.0.0.0:8443 \\
           --tls-cert cert.pem --tls-key key.pem --advertise 203.0.113.7"""
_TOKEN_TEXT: Final = """\
Print a join token, and nothing else, signed with the same key file that run uses."""


class Parser(argparse.ArgumentParser):
    """Errors in one line that names the option."""

    def error(self, message: str) -> NoReturn:
        """Exit code 2."""
        fail(self.prog, message.removeprefix("argument "))


def fail(prog: str, message: str) -> NoReturn:
    """Say what is wrong and end with exit code 2."""
    print(f"{prog}: {message}\nTry: {prog} --help", file=sys.stderr)
    raise SystemExit(2)


class _Version(argparse.Action):
    def __call__(self, *_: Any) -> NoReturn:
        from importlib.metadata import version  # slow to import, seldom needed

        print(f"voiceroom-mixer {version('voiceroom')}")
        raise SystemExit(0)


def build() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="voiceroom-mixer",
        description="Voice rooms that keep time: the mixer.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_token(commands)
    return parser


def _add_command(commands: Any, name: str, text: str, short: str, end: str = "") -> Parser:
    command: Parser = commands.add_parser(
        name,
        help=short,
        description=text,
        epilog=end,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def _add_run(commands: Any) -> None:
    run = _add_command(commands, "run", _RUN_TEXT, "run rooms on this machine", _RUN_END)
    run.add_argument("rooms", nargs="+", metavar="ROOM.yaml", help="files with VoiceRooms")
    _add_listeners(run.add_argument_group("where it listens (HOST:PORT or [IPv6]:PORT)"))
    _add_access(run.add_argument_group("who may do what"))
    _add_operation(run.add_argument_group("operation"))


def _add_listeners(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--http",
        type=values.endpoint,
        default="127.0.0.1:8080",
        metavar="HOST:PORT",
        help="page, signalling and events (default %(default)s)",
    )
    group.add_argument(
        "--udp",
        type=values.endpoint,
        default="0.0.0.0:7882",
        metavar="HOST:PORT",
        help="all media; the i-th media process takes PORT+i (default %(default)s)",
    )
    group.add_argument(
        "--advertise",
        type=values.advertised,
        action="append",
        default=[],
        metavar="IP",
        help="address to give to clients; may be repeated (default: this machine's)",
    )
    for option, what in (
        ("--admin", "operator's calls and /debug (default: none, /debug is on --http)"),
        ("--metrics", "/metrics and /clockz (default: on --http)"),
    ):
        group.add_argument(option, type=values.endpoint, metavar="HOST:PORT", help=what)
    for option, what in (("--tls-cert", "certificate chain"), ("--tls-key", "private key")):
        group.add_argument(
            option, type=values.readable_file, metavar="FILE", help=f"{what} for --http, PEM"
        )


def _add_access(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--keys", metavar="FILE", help=_KEYS_HELP)
    group.add_argument(
        "--pin",
        type=values.pin_file,
        action="append",
        default=[],
        metavar="ROOM=FILE",
        help="who knows the PIN in FILE's first line may speak in ROOM; may be repeated",
    )
    group.add_argument(
        "--trusted-proxies",
        type=values.networks,
        default=(),
        metavar="CIDR,...",
        help="proxies whose X-Forwarded-For and -Proto count (default: none)",
    )
    group.add_argument(
        "--rtp-allow",
        type=values.networks,
        default=RTP_ALLOW,
        metavar="CIDR,...",
        help="where plain-RTP legs may point (default: loopback and private ranges)",
    )
    group.add_argument(
        "--ice-server",
        type=values.ice_server,
        action="append",
        default=[],
        metavar="URL",
        help="STUN or TURN server to tell clients, stun:HOST[:PORT] or "
        "turn:USER:PASSWORD@HOST[:PORT]; may be repeated",
    )


def _add_operation(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--drain-deadline",
        type=partial(values.duration, 0, DAY_S),
        default="10m",
        metavar="DURATION",
        help="how long SIGTERM waits for people to leave, 0s to 24h (default %(default)s)",
    )
    group.add_argument(
        "--media-processes",
        type=values.media_processes,
        default="1",
        metavar="N",
        help="processes that mix, 1 to 64; a room is in one of them (default %(default)s)",
    )
    group.add_argument(
        "--log-format",
        choices=get_args(LogFormat),
        default="text",
        help="of the log on standard error (default %(default)s)",
    )


_KEYS_HELP: Final = "key file (default: keys.json in ~/.local/state/voiceroom, made on first use)"


def _add_token(commands: Any) -> None:
    token = _add_command(commands, "token", _TOKEN_TEXT, "print a join token")
    token.add_argument("--room", required=True, metavar="NAME", help="the room's name")
    token.add_argument(
        "--identity", required=True, metavar="NAME", help="who it is for, as others see it"
    )
    token.add_argument(
        "--role",
        choices=get_args(Role),
        default="speaker",
        help="what it lets its bearer do (default %(default)s)",
    )
    token.add_argument(
        "--ttl",
        type=partial(values.duration, 1, YEAR_S),
        default="1h",
        metavar="DURATION",
        help="how long it is good for joining, 1s to 8760h (default %(default)s)",
    )
    token.add_argument("--keys", metavar="FILE", help=_KEYS_HELP)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments; exits with code 2 and a line on standard error when they are wrong."""
    return build().parse_args(argv)
