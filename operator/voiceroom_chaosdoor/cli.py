"""The command line of ``voiceroom-chaos-door``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Final

from voiceroom_chaosdoor.kube import ACCOUNT

_TEXT: Final = """\
Take faults on order, for mixer pods of this node: less CPU time (throttle), and a network that
delays and loses (netem). Each ends by itself; docs/chaos.md."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Exits with code 2 when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="voiceroom-chaos-door", description=_TEXT, allow_abbrev=False
    )
    parser.add_argument("--node", required=True, help="name of the node that this is on")
    parser.add_argument("--namespace", required=True, help="of this pod, where its Secret is")
    parser.add_argument(
        "--listen",
        type=endpoint,
        default="127.0.0.1:9467",
        metavar="HOST:PORT",
        help="orders (default %(default)s: kubectl port-forward alone reaches it)",
    )
    parser.add_argument(
        "--metrics",
        type=endpoint,
        default="0.0.0.0:9466",
        metavar="HOST:PORT",
        help="/metrics and /healthz (default %(default)s)",
    )
    parser.add_argument(
        "--cgroups", default="/host/cgroup", help="the node's /sys/fs/cgroup (%(default)s)"
    )
    parser.add_argument(
        "--journal",
        default="/var/lib/voiceroom-chaos",
        help="folder that outlives this pod (%(default)s)",
    )
    parser.add_argument(
        "--netem", action="store_true", help="take netem as well, which takes more rights"
    )
    _add_api(parser)
    return parser.parse_args(arguments)


def _add_api(parser: argparse.ArgumentParser) -> None:
    """As every pod is told."""
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
    parser.add_argument("--api-host", default=host, help="the API server")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    parser.add_argument("--api-port", type=int, default=port, help="its port")
    parser.add_argument(
        "--account", default=str(ACCOUNT), help="folder with its ca.crt and a token (%(default)s)"
    )


def endpoint(text: str) -> tuple[str, int]:
    """``HOST:PORT``."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} must be HOST:PORT")
    return host, int(port)
