"""The command line of the demonstration."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from playwright.sync_api import Error as BrowserError

from demo import drift
from images.cache import BuildError
from localcluster.failure import ClusterError

PICTURE = Path("tests/out/drift.png")
STOPPED = 130
_SAID = (AssertionError, BuildError, ClusterError, BrowserError, OSError)
"""Whose text is for people."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 = as promised, 1 = not, or it could not be shown; 130 = stopped by Ctrl-C."""
    options = parse(arguments)
    stop = _Stop()
    try:
        return drift.run(options.picture, browser=not options.no_browser)
    except (KeyboardInterrupt, *_SAID) as error:
        # a browser that Ctrl-C has ended as well may be what is seen first
        if isinstance(error, KeyboardInterrupt) or stop.asked:
            print("stopped: nothing is left behind", file=sys.stderr)
            return STOPPED
        print(f"demo: {error}", file=sys.stderr)
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Exits with code 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="make demo-drift", description=__doc__)
    shown = "where the picture of lateness and gaps goes (default %(default)s)"
    parser.add_argument("--picture", type=Path, default=PICTURE, metavar="FILE.png", help=shown)
    gateways = "plain-RTP gateways only, though there is a browser"
    parser.add_argument("--no-browser", action="store_true", help=gateways)
    return parser.parse_args(arguments)


class _Stop:
    """Ctrl-C, or SIGTERM: the same end."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        raise KeyboardInterrupt
