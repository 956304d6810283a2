"""An experiment as a subcommand: options, progress, tables, JSON, plot."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, Final

from voiceroom_driftlab.experiments import table
from voiceroom_driftlab.experiments.registry import Experiment
from voiceroom_driftlab.experiments.result import Result
from voiceroom_mixer.native.build import BuildError

EXIT_IMPOSSIBLE: Final = 3
"""This machine lacks what the experiment needs."""
_EXTRA: Final = frozenset({"dpkt", "matplotlib", "rich", "uvloop"})
_STDOUT: Final = "-"


def add(parser: argparse.ArgumentParser, experiment: Experiment) -> None:
    """The options that all have, and the experiment's own."""
    parser.description = experiment.help
    parser.add_argument("--quick", action="store_true", help="a few seconds, for a first look")
    parser.add_argument("--json", metavar="FILE", help="write everything measured; - for stdout")
    parser.add_argument("--plot", type=_picture, metavar="FILE.png", help="draw it")
    experiment.add_arguments(parser)
    parser.set_defaults(main=partial(run, experiment))


def _picture(text: str) -> Path:
    if not text.endswith((".png", ".svg")):
        raise argparse.ArgumentTypeError(f"{text!r} ends in neither .png nor .svg")
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: there is no such folder")
    return Path(text)


def run(experiment: Experiment, options: argparse.Namespace) -> int:
    """0 and the tables on stdout; 1 for an input that is not to be used; 3 where this machine
    lacks something. Says on stderr what and what to do."""
    try:
        _run(experiment, options)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        return _fail(
            EXIT_IMPOSSIBLE,
            f"{experiment.name} needs {error.name}, which comes with the extra `lab`: "
            "pip install 'voiceroom[lab]'",
        )
    except BuildError as error:
        return _fail(EXIT_IMPOSSIBLE, f"{experiment.name}: {error}")
    except (OSError, ValueError) as error:
        return _fail(1, f"{experiment.name}: {error}")
    return 0


def _fail(code: int, why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return code


def _run(experiment: Experiment, options: argparse.Namespace) -> None:
    # Imported first: who has waited for minutes should not learn then that nothing can be drawn.
    from voiceroom_driftlab.experiments.progress import shown

    if options.plot:
        import voiceroom_driftlab.experiments.plot as plot
    with shown(sys.stderr) as progress:
        result = experiment.run(options, progress)
    if options.json != _STDOUT:
        sys.stdout.write(table.text(result))
    if options.json:
        _write_json(result, options.json)
    if options.plot:
        plot.draw(result, options.plot)


def _write_json(result: Result, where: str) -> None:
    text = json.dumps(as_json(result), indent=1) + "\n"
    if where == _STDOUT:
        sys.stdout.write(text)
    else:
        Path(where).write_text(text, encoding="utf-8")


def as_json(result: Result) -> dict[str, Any]:
    """Everything: the claim, the tables as printed, and all that was measured."""
    return {
        "experiment": result.name,
        "article": {"sections": result.sections, "says": result.says},
        "holds": result.holds,
        "tables": [
            {"title": one.title, "header": list(one.header), "rows": [list(r) for r in one.rows]}
            for one in result.tables
        ],
        "data": dict(result.data),
    }
