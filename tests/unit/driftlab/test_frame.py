"""What every experiment has: tables, JSON, a plot, and errors that say what to do."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest

from voiceroom_driftlab.cli import main
from voiceroom_driftlab.experiments import command, progress, table
from voiceroom_driftlab.experiments.registry import EXPERIMENTS, Experiment
from voiceroom_driftlab.experiments.result import Chart, Progress, Result, Table

RESULT = Result(
    "made-up", "S9.9", "a frame is 21 us", "it is 21 ms",
    [Table("Frames", ("who", "us"), [("article", 21), ("ours", 21_333)])],
    [Chart("Lateness", "s", "us", {"one": [(0, 1), (1, 2)], "two": [(0, 2), (1, 1)]})],
    {"frames": [1, 2]},
)  # fmt: skip


def made_up(options: argparse.Namespace, progress: Progress) -> Result:
    progress("frames", 0.5)
    return RESULT


def broken(error: Exception) -> Experiment:
    def run(options: argparse.Namespace, progress: Progress) -> Result:
        raise error

    return Experiment("made-up", "", run, lambda _: None)


def run(experiment: Experiment, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser, experiment)
    options = parser.parse_args(arguments)
    code: int = options.main(options)
    return code


def test_claim_and_truth_and_both_numbers_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Experiment("made-up", "", made_up, lambda _: None)) == 0
    out, err = capsys.readouterr()
    assert "The article says: a frame is 21 us\n\nWhat holds: it is 21 ms" in out
    assert "| article |    21 |\n| ours    | 21333 |" in out
    assert err == "frames\n"


def test_json_on_stdout_is_json_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Experiment("made-up", "", made_up, lambda _: None), "--json", "-") == 0
    written = json.loads(capsys.readouterr().out)
    assert written["data"] == {"frames": [1, 2]}
    assert written["tables"][0]["rows"] == [["article", 21], ["ours", 21_333]]


def test_a_plot_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    assert run(Experiment("made-up", "", made_up, lambda _: None), "--plot", str(path)) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["plot.jpeg", "no-such-folder/plot.png"])
def test_a_plot_that_cannot_be_written_is_told_before_anything_is_measured(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(broken(AssertionError()), "--plot", str(tmp_path / name))
    assert name in capsys.readouterr().err


def test_a_missing_extra_is_named_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    error = ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib.figure")
    assert run(broken(error)) == command.EXIT_IMPOSSIBLE
    assert "pip install 'voiceroom[lab]'" in capsys.readouterr().err


def test_a_bad_input_is_told_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(broken(ValueError("call.pcap: line 3 is no JSON"))) == 1
    assert capsys.readouterr().err == "made-up: call.pcap: line 3 is no JSON\n"


def test_our_own_fault_is_not_told_as_an_input_s() -> None:
    with pytest.raises(ModuleNotFoundError):
        run(broken(ModuleNotFoundError("No module named 'ours'", name="ours")))


def test_a_bar_says_how_far_it_is_on_a_terminal_only() -> None:
    stream = io.StringIO()
    with progress.shown(stream) as shown:
        shown("first", 0.1)
        shown("first", 0.2)
        shown("second")
    assert stream.getvalue() == "first\nsecond\n"


def test_words_stand_left_and_numbers_right() -> None:
    text = table.markdown(Table("T", ("a", "b"), [("x", 1), ("yyyy", 100)]))
    assert text.splitlines()[-1] == "| yyyy | 100 |"
    assert text.splitlines()[-2] == "| x    |   1 |"


def test_every_experiment_has_help_and_its_common_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for experiment in EXPERIMENTS:
        with pytest.raises(SystemExit):
            main([experiment.name, "--help"])
        out = capsys.readouterr().out
        assert all(option in out for option in ("--quick", "--json", "--plot"))
