"""``voiceroom-driftlab``: the laboratory's commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from voiceroom_driftlab import detect
from voiceroom_driftlab.experiments import command
from voiceroom_driftlab.experiments.registry import EXPERIMENTS


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="voiceroom-driftlab", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    added = commands.add_parser("detect", help=detect.HELP, description=detect.__doc__)
    detect.add_arguments(added)
    added.set_defaults(main=detect.main)
    for experiment in EXPERIMENTS:
        command.add(commands.add_parser(experiment.name, help=experiment.help), experiment)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all is well; other codes are the command's."""
    options = parser().parse_args(arguments)
    code: int = options.main(options)
    return code
