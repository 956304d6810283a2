"""The command line: up, down, status, control-plane, build."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from localcluster import build, cluster, controlplane, layout, voiceroom
from localcluster.failure import ClusterError
from localcluster.tools import BY_NAME


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 and one sentence on standard error when it fails."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ClusterError as error:
        print(f"localcluster: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_up(commands.add_parser("up", help="start a cluster with two nodes"))
    _add_down(commands.add_parser("down", help="end it and leave nothing behind"))
    _add_status(commands.add_parser("status", help="what runs"))
    _add_control_plane(commands.add_parser("control-plane", help="etcd and API server, no nodes"))
    _add_build(commands.add_parser("build", help="build programs into the cache, print paths"))
    return parser


def _add_up(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("--bare", action="store_true", help="the cluster only, no voiceroom in it")
    parser.set_defaults(run=_up)


def _add_down(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("--all", action="store_true", help="all of them, tests' as well")
    parser.set_defaults(run=_down)


def _add_status(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.set_defaults(run=_status)


def _add_name(parser: argparse.ArgumentParser) -> None:
    named = "several may run side by side"
    parser.add_argument("--name", type=_name, default=cluster.DEFAULT_NAME, help=named)


def _name(text: str) -> str:
    if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r}: 1 to 32 lower-case letters, digits and dashes")
    return text


def _add_control_plane(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, required=True, help="state and logs, kept after")
    parser.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=_control_plane)


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="*", type=_tool, help=f"{', '.join(BY_NAME)}; none = all")
    parser.set_defaults(run=_build)


def _tool(name: str) -> str:
    if name not in BY_NAME:
        raise argparse.ArgumentTypeError(f"no tool {name!r}; there are {', '.join(BY_NAME)}")
    return name


def _up(options: argparse.Namespace) -> None:
    running = cluster.up(options.name)
    if not options.bare:
        voiceroom.install(running, voiceroom.Helm(running))
        print(running.kubectl("get", "voicerooms"), end="")
        print(f"join: {voiceroom.join_link(running)}")
    print(f"KUBECONFIG={running.kubeconfig}", flush=True)


def _down(options: argparse.Namespace) -> None:
    for name in layout.names() if options.all else [options.name]:
        ended = cluster.down(name)
        print(f"the cluster {name!r} is down" if ended else f"no cluster {name!r} was up")


def _status(options: argparse.Namespace) -> None:
    running = cluster.find(options.name)
    if running is None:
        raise ClusterError(f"no cluster {options.name!r} is up: `make cluster` starts one.")
    for started in running.processes.all():
        print(f"{started.name:26} {started.pid:8} {'runs' if started.is_alive() else 'ended'}")
    print(f"KUBECONFIG={running.kubeconfig}")


def _control_plane(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    controlplane.serve(folder.resolve(), until_stdin_closes=options.until_stdin_closes)


def _build(options: argparse.Namespace) -> None:
    for name, path in build.ensure(options.name or BY_NAME).items():
        print(f"{name}\t{path}")
