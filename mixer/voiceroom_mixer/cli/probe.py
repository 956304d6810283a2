"""``voiceroom-mixer probe``: does this room work?"""

from __future__ import annotations

import argparse
import json
import ssl
import sys

from voiceroom_mixer.cli.arguments import fail
from voiceroom_mixer.cli.probing.pair import Clocks, Report, probe
from voiceroom_mixer.cli.probing.signalling import Link
from voiceroom_mixer.edge.clock import monotonic_ns, wall_ns

PROG = "voiceroom-mixer probe"
_TIMEOUT_S = 15.0


def run(args: argparse.Namespace) -> int:
    """Exit code 0: each hears the other and not itself. 1: not so. 2: a wrong command line."""
    try:
        report = listen(args)
    except ConnectionError as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(report.to_dict()))
    else:
        print("\n".join(report.lines()))
    return 0 if report.fine else 1


def listen(args: argparse.Namespace) -> Report:
    """Raises ``ConnectionError``."""
    links: list[Link] = args.links
    pair = (links[0], links[-1])
    return probe(
        pair,
        Clocks(monotonic_ns, wall_ns),
        listen_s=args.seconds,
        timeout_s=_TIMEOUT_S,
        tls=_trust(args.ca),
    )


def _trust(ca: str | None) -> ssl.SSLContext | None:
    if ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca)
    except (ssl.SSLError, OSError) as error:
        fail(PROG, f"--ca: {ca} is no PEM file of certificates: {error}")
