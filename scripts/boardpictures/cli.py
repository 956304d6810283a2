"""The command line: which board, of which Prometheus, over which time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from boardpictures import picture
from boardpictures.asking import AskingError, Prometheus, Span
from voiceroom_dashboards.boards import document

POINTS = 240
"""Across a picture."""
LEAST_STEP_S = 1.0
BOARDS = {board.name: board for board in document.BOARDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 = drawn; 1 = it cannot be, and why; 2 = a wrong command line."""
    options = parse(arguments)
    board = BOARDS[options.board]
    length_s = options.end - options.begin
    span = Span(options.begin, options.end, max(LEAST_STEP_S, length_s / POINTS))
    prometheus = Prometheus(options.url.rstrip("/"), dict(options.set))
    try:
        shown = picture.chosen(board, options.panel)
        empty = picture.draw(options.out, board, shown, prometheus, span)
    except (AskingError, ValueError) as error:
        print(f"boardpictures: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: {len(shown)} panels, without data: {', '.join(empty) or 'none'}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Exits with code 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m boardpictures", description=__doc__)
    add = parser.add_argument
    add("board", choices=sorted(BOARDS), help="which")
    add("out", type=Path, metavar="FILE.png", help="where the picture goes")
    add("--url", default="http://127.0.0.1:9090", help="Prometheus (default %(default)s)")
    add("--begin", type=float, required=True, metavar="S", help="Unix seconds")
    add("--end", type=float, required=True, metavar="S", help="Unix seconds")
    add("--panel", action="append", default=[], metavar="TITLE", help="again for each; none = all")
    chosen = "a variable of the board; others are all"
    add("--set", action="append", default=[], type=_pair, metavar="NAME=VALUE", help=chosen)
    options = parser.parse_args(arguments)
    if options.end <= options.begin:
        parser.error("--end has to be after --begin")
    return options


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r}: NAME=VALUE")
    return name, value
