"""Panels as pictures: what is asked, what series are called, and that each kind can be drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from boardpictures import asking, cli, panels, picture
from boardpictures.asking import AskingError, Line, Prometheus, Span
from voiceroom_dashboards.boards import document
from voiceroom_dashboards.boards.model import Board, Kind, Panel, Query

SPAN = Span(100.0, 160.0, 15.0)
TIMES = (100.0, 115.0, 130.0, 145.0, 160.0)
PANELS = {panel.kind: panel for board in document.BOARDS for panel in board.panels()}
CANARY = cli.BOARDS["canary"]


def line(name: str = "m-0", *values: float, **labels: str) -> Line:
    return Line(name, labels, TIMES[: len(values) or None], values or (0.0, 0.0, 1.0, 1.0, 2.0))


class Asked:
    """Instead of a Prometheus: it has the same series for whatever is asked."""

    def __init__(self, *lines: Line) -> None:
        self.found = list(lines)

    def lines(self, query: Query, span: Span) -> list[Line]:
        return self.found

    now = lines


@contextmanager
def answering(monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]) -> Iterator[list[str]]:
    """Whatever is fetched has that body; the addresses."""
    fetched: list[str] = []

    class Answer:
        def __enter__(self) -> Answer:
            return self

        def __exit__(self, *ended: object) -> None:
            """Nothing."""

        def read(self) -> bytes:
            return json.dumps(body).encode()

    def fetch(url: str, timeout: float) -> Answer:
        fetched.append(url)
        return Answer()

    monkeypatch.setattr("urllib.request.urlopen", fetch)
    yield fetched


def test_variables_are_filled_in_and_those_not_chosen_are_all() -> None:
    expr = 'increase(x{pool=~"$pool",node=~"$node"}[$__range]) + rate(y[$__rate_interval])'
    made = asking.placed(expr, {"pool": "gold"}, SPAN)
    assert made == 'increase(x{pool=~"gold",node=~".*"}[60s]) + rate(y[60s])'


def test_series_are_called_as_the_board_says() -> None:
    assert asking.named("{{pod}} p99", {"pod": "m-0", "pool": "x"}) == "m-0 p99"
    assert asking.named("", {"pod": "m-0", "cause": "gc"}) == "cause=gc, pod=m-0"


def test_a_namespace_that_all_have_is_left_out_of_names() -> None:
    both = picture.shortened([line("voice/next is"), line("voice/next limit")])
    assert [one.name for one in both] == ["next is", "next limit"]
    other = [line("voice/next"), line("stage/next")]
    assert picture.shortened(other) == other


def test_a_range_is_asked_for_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"metric": {"pod": "m-0"}, "values": [[100, "0.5"], [115, "NaN"]]}
    with answering(monkeypatch, {"data": {"result": [one]}}) as fetched:
        (found,) = Prometheus("http://p", {}).lines(Query("up", "{{pod}}"), SPAN)
    assert fetched == ["http://p/api/v1/query_range?query=up&start=100.0&end=160.0&step=15.0"]
    assert (found.name, found.at_s, found.values[0]) == ("m-0", (100.0, 115.0), 0.5)


def test_a_prometheus_that_is_not_there_is_told() -> None:
    with pytest.raises(AskingError, match=r"http://127\.0\.0\.1:9 does not answer"):
        Prometheus("http://127.0.0.1:9", {}).lines(Query("up"), SPAN)


@pytest.mark.parametrize("kind", sorted(PANELS))
def test_every_kind_of_panel_can_be_drawn(kind: Kind) -> None:
    axes = Figure().subplots()
    each = [line(le="0.001"), line(le="+Inf")] if kind == "buckets" else [line()]
    panels.draw(axes, PANELS[kind], each, SPAN)
    assert axes.get_title(loc="left") == PANELS[kind].title
    drawn = [*axes.lines, *axes.patches, *axes.collections, *axes.texts]
    assert drawn


def test_what_has_a_unit_of_its_own_is_on_the_right() -> None:
    axes = Figure().subplots()
    share = Line("n1 interrupts", {}, TIMES, (0.5,) * 5, "percentunit")
    panels.draw(axes, PANELS["lines"], [line("n1 drift"), share], SPAN)
    (other,) = (one for one in axes.figure.axes if one is not axes)
    assert [one.get_label() for one in other.lines] == ["n1 interrupts"]
    assert next(one.get_label() for one in axes.lines) == "n1 drift"


@pytest.mark.parametrize(
    ("unit", "shown"), [("percentunit", "50.00%"), ("s", "0.5 s"), ("short", "0.5")]
)
def test_a_number_has_its_unit(unit: str, shown: str) -> None:
    axes = Figure().subplots()
    panel = Panel("Share", "Of it.", unit, (Query("up"),), "number")
    panels.draw(axes, panel, [line("now", 0.5)], SPAN)
    assert [text.get_text() for text in axes.texts] == [f"now: {shown}"]


def test_a_panel_without_data_says_so() -> None:
    axes = Figure().subplots()
    panels.draw(axes, PANELS["lines"], [], SPAN)
    assert [text.get_text() for text in axes.texts] == ["no data"]


def test_a_state_is_a_bar_as_long_as_it_lasts() -> None:
    (phase,) = (panel for panel in CANARY.panels() if panel.title == "Phase")
    axes = Figure().subplots()
    panels.draw(axes, phase, [line("next", 0, 0, 1, 1, 3)], SPAN)
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]  # type: ignore[attr-defined]
    assert bars == [(0.0, 30.0), (30.0, 30.0), (60.0, 15.0)]
    assert [text.get_text() for text in axes.texts] == ["Waiting", "Observing", "Promoted"]


def test_a_board_is_drawn_with_its_marks_and_empty_panels_are_told(tmp_path: Path) -> None:
    out = tmp_path / "canary.png"
    shown = picture.chosen(CANARY, ["Phase", "Lateness"])
    empty = picture.draw(out, CANARY, shown, Asked(line()), SPAN)  # type: ignore[arg-type]
    assert empty == []
    assert out.read_bytes().startswith(b"\x89PNG")
    assert picture.draw(out, CANARY, shown, Asked(), SPAN) == [  # type: ignore[arg-type]
        "Phase",
        "Lateness",
    ]


def test_a_panel_that_a_board_has_not_is_told() -> None:
    with pytest.raises(ValueError, match="board canary has no panel 'Phases': Phase, Why"):
        picture.chosen(CANARY, ["Phases"])


@pytest.mark.parametrize("board", document.BOARDS, ids=lambda board: board.name)
def test_without_names_all_panels_are_drawn(board: Board) -> None:
    assert all(isinstance(panel, Panel) for panel in picture.chosen(board, []))
    assert len(picture.chosen(board, [])) == len(list(board.panels()))


@pytest.mark.parametrize(
    "words",
    [
        ["nothing", "x.png", "--begin=1", "--end=2"],
        ["fleet", "x.png", "--begin=2", "--end=2"],
        ["fleet", "x.png", "--begin=1", "--end=2", "--set=pool"],
    ],
)
def test_a_wrong_command_line_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.parse(words)
    assert caught.value.code == 2


def test_what_cannot_be_drawn_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["canary", str(tmp_path / "x.png"), "--begin=1", "--end=2", "--panel=Phases"]
    assert cli.main(words) == 1
    assert "has no panel 'Phases'" in capsys.readouterr().err
