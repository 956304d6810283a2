"""The command line: options, defaults and help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NoReturn, get_args

from voiceroom_mixer.cli import values
from voiceroom_mixer.config import LogFormat, RealtimeMode
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
_POD_TEXT: Final = """\
Run the rooms that the operator assigns to this pod. The operator starts it so; a person does not
need to. It reads POD_NAME, POD_NAMESPACE, POOL_NAME, POD_UID and NODE_NAME."""
_PROBE_TEXT: Final = """\
Join a room with two clients, each with a tone of its own, and listen: each must hear the other and
not itself. Exit code 0: so it is; 1: it is not, and the output says what is wrong."""
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
    _add_pod(commands)
    _add_token(commands)
    _add_probe(commands)
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


def _add_pod(commands: Any) -> None:
    pod = _add_command(commands, "pod", _POD_TEXT, "run a pod's assigned rooms")
    where = pod.add_argument_group("where it listens (HOST:PORT or [IPv6]:PORT)")
    _add_http_udp(where, "0.0.0.0:8080", "0.0.0.0:20478")
    for option, default, what in (
        ("--admin", "0.0.0.0:8443", "the operator and other mixers, mutual TLS"),
        ("--metrics", "0.0.0.0:9464", "/metrics and /clockz"),
    ):
        what += " (default %(default)s)"
        where.add_argument(
            option, type=values.endpoint, default=default, metavar="HOST:PORT", help=what
        )
    _add_folders(pod.add_argument_group("what it is given"))
    _add_networks(pod.add_argument_group("who may do what"))
    _add_realtime(pod.add_argument_group("scheduling"))
    _add_operation(pod.add_argument_group("operation"), log_format="json")


def _add_folders(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--pool-dir",
        type=values.pool_dir,
        required=True,
        metavar="DIR",
        help="the pool's Secret: keys.json, ca.crt, tls.crt and tls.key; read again on a change",
    )
    group.add_argument(
        "--state-dir",
        type=values.writable_dir,
        required=True,
        metavar="DIR",
        help="keeps what the pod was assigned last, over restarts of the container",
    )


def _add_realtime(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--realtime",
        choices=get_args(RealtimeMode),
        default="Quota",
        help="what the pool asks for (default %(default)s)",
    )
    group.add_argument(
        "--realtime-priority",
        type=partial(values.whole, 1, 98),
        metavar="N",
        help="of SCHED_FIFO, 1 to 98; with --realtime Fifo only (default 10)",
    )
    group.add_argument(
        "--realtime-cpus",
        type=partial(values.whole, 1, 4096),
        metavar="N",
        help="whole CPUs that the pod should have for itself; with Exclusive and Fifo only",
    )
    group.add_argument(
        "--realtime-required",
        action="store_true",
        help="not granted = never ready",
    )


def _add_http_udp(group: argparse._ArgumentGroup, http: str, udp: str) -> None:
    group.add_argument(
        "--http",
        type=values.endpoint,
        default=http,
        metavar="HOST:PORT",
        help="page, signalling and events (default %(default)s)",
    )
    group.add_argument(
        "--udp",
        type=values.endpoint,
        default=udp,
        metavar="HOST:PORT",
        help="all media; the i-th media process takes PORT+i (default %(default)s)",
    )


def _add_listeners(group: argparse._ArgumentGroup) -> None:
    _add_http_udp(group, "127.0.0.1:8080", "0.0.0.0:7882")
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
    for option, what in (
        ("--admin-tls-cert", "certificate chain for --admin"),
        ("--admin-tls-key", "private key for --admin"),
        ("--admin-tls-ca", "who signs the certificates that clients of --admin must show"),
    ):
        group.add_argument(
            option,
            type=values.readable_file,
            metavar="FILE",
            help=f"{what}, PEM; all three or none",
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
    _add_networks(group)
    group.add_argument(
        "--ice-server",
        type=values.ice_server,
        action="append",
        default=[],
        metavar="URL",
        help="STUN or TURN server to tell clients, stun:HOST[:PORT] or "
        "turn:USER:PASSWORD@HOST[:PORT]; may be repeated",
    )


def _add_networks(group: argparse._ArgumentGroup) -> None:
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


def _add_operation(group: argparse._ArgumentGroup, log_format: LogFormat = "text") -> None:
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
        default=log_format,
        help="of the log on standard error (default %(default)s)",
    )
    group.add_argument(
        "--chaos",
        action="store_true",
        help="inject faults of clocks when an admin asks for them (POST /admin/v1/chaos)",
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


def _add_probe(commands: Any) -> None:
    probe = _add_command(commands, "probe", _PROBE_TEXT, "check that a room is heard")
    probe.add_argument(
        "links",
        type=values.join_link,
        nargs="+",
        action=values.OneOrTwo,
        metavar="LINK",
        help="join link of a speaker; the second client's, where it has another",
    )
    probe.add_argument(
        "--seconds",
        type=partial(values.whole, 1, 30),
        default="3",
        metavar="N",
        help="how long they listen, 1 to 30 (default %(default)s)",
    )
    probe.add_argument("--ca", metavar="FILE", help="who is trusted where the link is https, PEM")
    probe.add_argument("--json", action="store_true", help="say it in JSON")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments; exits with code 2 and a line on standard error when they are wrong."""
    return build().parse_args(argv)
