"""Boards show only what is exposed, by queries that mean something, and say what they show."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest

from harness.series import DECLARED, TARGET, exposed, selectors, used
from voiceroom_api import names
from voiceroom_api.metric import Metric
from voiceroom_dashboards.boards import canary, cause, document
from voiceroom_dashboards.boards.model import Board, Mark, Panel
from voiceroom_dashboards.rules import document as rules
from voiceroom_dashboards.rules.model import Record

BOARDS = document.BOARDS
PANELS = [(board, panel) for board in BOARDS for panel in board.panels()]
EXPRS = [(panel, query.expr) for _, panel in PANELS for query in panel.queries]
MARKS = [(board, mark) for board in BOARDS for mark in board.marks]
ASKED = [(board, of, query.expr) for board in BOARDS for of, query in board.queries()]
WITHOUT_RUNBOOK = {
    # no alert is about loss alone: it is the network of one person
    "room": ["Loss"],
    # nobody is paged for a canary: it is rolled back
    "canary": ["Where it stands", "The gate", "Act"],
}
RECORDS = {rule.name for group in rules.GROUPS for rule in group.rules if isinstance(rule, Record)}
COUNTED = {"counter", "histogram"}
UNITS = {"s", "ppm", "percentunit", "short", "binBps", "ops", "reqps", "pps"}
UNBOUNDED = {"room", "instance", "route", "le"}
"""Labels by which a picture would have a line for each of very many; ``le`` is a histogram's."""

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
each_panel = pytest.mark.parametrize(
    ("board", "panel"), PANELS, ids=[f"{board.name}-{panel.title}" for board, panel in PANELS]
)


def windowed(expr: str) -> list[tuple[str, str]]:
    """Each function over a window, and the series that it is of."""
    return re.findall(r"\b(\w+)\(([\w:]+)(?:\{[^}]*\})?\[", expr)


def metric_of(series: str) -> Metric:
    """Which it belongs to; for a name that is not declared a KeyError."""
    return DECLARED[re.sub(r"_(?:bucket|sum|count)$", "", series)]


def kind(series: str) -> str:
    """Of a series; what is recorded is a gauge."""
    return "gauge" if series in RECORDS else metric_of(series).kind


def rates_of_gauges(expr: str) -> set[str]:
    """What no query may do, and is easily done: node_timer_drift_delta_seconds is a gauge."""
    rates = {"rate", "irate", "increase"}
    return {of for how, of in windowed(expr) if how in rates and kind(of) not in COUNTED}


def bare_counters(expr: str) -> set[str]:
    """Counters that are shown as they stand: a number that only grows."""
    counted = {of for how, of in windowed(expr) if how in {"rate", "increase"}}
    return {series for series in used(expr) if kind(series) in COUNTED} - counted


def grouped(expr: str) -> set[str]:
    """Labels that are kept."""
    return {one for listed in re.findall(r"\bby \(([^)]*)\)", expr) for one in listed.split(", ")}


def labels_of(series: str) -> set[str]:
    """That a series may have."""
    if series in RECORDS:
        return TARGET
    metric = metric_of(series)
    return {*metric.labels, *TARGET} | ({"le"} if metric.kind == "histogram" else set())


@each_panel
def test_only_what_is_exposed_or_recorded_is_read(board: Board, panel: Panel) -> None:
    assert panel.queries
    for query in panel.queries:
        assert used(query.expr), query.expr
        assert used(query.expr) <= exposed() | RECORDS, query.expr


def test_a_name_that_is_not_exposed_would_be_found() -> None:
    assert used("max(node_timer_drift_seconds)") - exposed() == {"node_timer_drift_seconds"}
    assert used("voiceroom:nothing:p99") - RECORDS == {"voiceroom:nothing:p99"}


@each_panel
def test_selectors_name_labels_and_values_that_there_are(board: Board, panel: Panel) -> None:
    asked = [one for query in panel.queries for one in selectors(query.expr)]
    for name, label, wanted in asked:
        assert label in labels_of(name), name
        if not wanted.startswith("$") and name not in RECORDS:
            known = metric_of(name).values.get(label, ())
            assert not known or set(wanted.split("|")) <= set(known), f"{name}: {label}={wanted}"


@each_panel
def test_labels_that_are_kept_are_of_what_is_read(board: Board, panel: Panel) -> None:
    for query in panel.queries:
        there = set().union(*(labels_of(series) for series in used(query.expr)))
        assert grouped(query.expr) <= there, query.expr
        named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
        assert named <= grouped(query.expr), query.legend


def test_no_rate_is_of_a_gauge_and_no_counter_is_shown_as_it_stands() -> None:
    for _, of, expr in ASKED:
        assert rates_of_gauges(expr) == set(), of
        assert bare_counters(expr) == set(), of


def test_a_rate_of_a_gauge_would_be_found() -> None:
    drift = "node_timer_drift_delta_seconds"
    assert rates_of_gauges(f'max by (cpu) (rate({drift}{{node="n"}}[1m]))') == {drift}
    assert rates_of_gauges(f"max_over_time({drift}[1m])") == set()
    assert rates_of_gauges("rate(voiceroom_ticks_total[1m])") == set()
    assert bare_counters("sum by (pod) (voiceroom_ticks_total)") == {"voiceroom_ticks_total"}


def unbounded(panel: Panel, expr: str) -> set[str]:
    """Labels by which the picture would have very many lines."""
    bounded = {"le"} if panel.kind == "buckets" or "histogram_quantile(" in expr else set()
    bounded |= {"room"} if "topk(" in expr else set()
    return (grouped(expr) & UNBOUNDED) - bounded


@each_panel
def test_every_query_is_summed_up_and_by_no_label_of_many_values(
    board: Board, panel: Panel
) -> None:
    for query in panel.queries:
        assert grouped(query.expr), query.expr
        assert unbounded(panel, query.expr) == set(), query.expr


def test_a_line_for_each_room_would_be_found() -> None:
    panel = PANELS[0][1]
    by_room = "max by (room) (voiceroom_participants)"
    assert unbounded(panel, by_room) == {"room"}
    assert unbounded(panel, f"topk(3, {by_room})") == set()


@each_panel
def test_each_panel_says_what_it_shows_and_in_which_unit(board: Board, panel: Panel) -> None:
    assert panel.says.endswith(".")
    assert panel.unit in UNITS
    assert panel.title
    assert [value for value, _ in panel.steps] == sorted(value for value, _ in panel.steps)
    assert bool(panel.words) == (panel.kind == "states")


def test_seconds_and_ppm_are_shown_as_such() -> None:
    """A rate of seconds is a share; a quantile, a maximum or a sum of seconds is seconds."""
    for panel, expr in EXPRS:
        units = {DECLARED[s].unit for s in used(expr) if s in DECLARED and s.endswith("_seconds")}
        if units:
            assert panel.unit == "s", panel.title
        if "voiceroom_clock_rate_ppm" in used(expr):
            assert panel.unit == "ppm"


@each_board
def test_variables_are_of_labels_that_there_are_and_all_that_is_asked_for_is_one(
    board: Board,
) -> None:
    here = {variable.name for variable in board.variables}
    for variable in board.variables:
        series, label = re.fullmatch(  # type: ignore[union-attr]
            r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable.query
        ).groups()
        assert label == variable.name
        assert label in labels_of(series)
        assert series in exposed()
    own = {"__rate_interval", "__range"}
    for _, query in board.queries():
        assert set(re.findall(r"\$(\w+)", query.expr)) <= here | own, query.expr


@each_board
def test_rows_lead_to_runbooks_that_are_there(board: Board) -> None:
    there = {alert.name for alert in rules.alerts()}
    found = [re.findall(r"docs/runbooks/(\w+)\)", row.head()) for row in board.rows]
    assert {name for links in found for name in links} <= there
    without = [row.title for row, links in zip(board.rows, found, strict=True) if not links]
    assert without == WITHOUT_RUNBOOK.get(board.name, [])


def test_every_alert_but_the_pipelines_is_led_to() -> None:
    led = {name for board in BOARDS for row in board.rows for name in row.alerts}
    assert {alert.name for alert in rules.alerts()} - led == {
        "VoiceroomWatchdog",
        "VoiceroomMixersNotScraped",
    }


def test_every_verdict_has_its_meaning_and_its_evidence() -> None:
    assert set(cause.MEANINGS) == set(names.VERDICTS)
    titles = [row.title for row in cause.CAUSE.rows if row.title.startswith("Evidence: ")]
    shown = [one for title in titles for one in title.removeprefix("Evidence: ").split(", ")]
    assert sorted(shown) == sorted(names.VERDICTS)


def parsed(board: Board) -> dict[str, Any]:
    """As Grafana reads it."""
    made: dict[str, Any] = json.loads(document.board_json(board))
    return made


@each_board
def test_the_json_has_a_fixed_uid_and_the_chosen_data_source_everywhere(board: Board) -> None:
    made = parsed(board)
    assert made["uid"] == f"voiceroom-{board.name}"
    assert made["editable"] is False
    assert made["templating"]["list"][0]["name"] == "datasource"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    pictures = [panel for panel in made["panels"] if panel["type"] not in {"row", "text"}]
    assert len(pictures) == len(list(board.panels()))
    for picture in pictures:
        assert picture["datasource"] == chosen
        assert [target["datasource"] for target in picture["targets"]] == [chosen] * len(
            picture["targets"]
        )
        assert picture["description"]
        assert picture["fieldConfig"]["defaults"]["unit"]
    asked = [one for one in made["templating"]["list"] if one["type"] == "query"]
    assert all(one["datasource"] == chosen for one in asked)


@each_board
def test_panels_have_numbers_of_their_own_and_do_not_overlap(board: Board) -> None:
    panels = parsed(board)["panels"]
    numbers = [panel["id"] for panel in panels]
    assert len(set(numbers)) == len(numbers)
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


@pytest.mark.parametrize(("board", "mark"), MARKS, ids=[mark.name for _, mark in MARKS])
def test_marks_read_what_is_exposed_and_say_what_happened(board: Board, mark: Mark) -> None:
    assert used(mark.expr) <= exposed() | RECORDS
    assert set(re.findall(r"\{\{(\w+)\}\}", mark.title)) <= grouped(mark.expr)
    assert not grouped(mark.expr) & UNBOUNDED
    (drawn,) = (one for one in parsed(board)["annotations"]["list"] if one["name"] == mark.name)
    assert drawn["expr"] == mark.expr
    assert drawn["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert (drawn["titleFormat"], drawn["iconColor"]) == (mark.title, mark.colour)


def test_the_board_of_grey_release_knows_every_phase_and_indicator() -> None:
    phases = metric_of("voiceroom_operator_canary_phase").values["phase"]
    assert set(canary.PHASES) == set(phases)
    indicators = metric_of("voiceroom_operator_canary_indicator").values["indicator"]
    titles = {panel.title for panel in canary.CANARY.panels()}
    assert {*indicators, *(f"{name}: samples" for name in indicators)} <= titles
    ended = {"Promoting", "Promoted", "RolledBack"}
    marked = [re.findall(r'phase=~"([\w|]+)"', mark.expr)[0] for mark in canary.CANARY.marks]
    assert set("|".join(marked).split("|")) == ended


def test_what_has_an_axis_of_its_own_is_drawn_on_it() -> None:
    own = [(board, panel) for board, panel in PANELS for query in panel.queries if query.right]
    assert [panel.title for _, panel in own] == ["Drift and interrupts"]
    for board, panel in own:
        (drawn,) = (one for one in parsed(board)["panels"] if one["title"] == panel.title)
        (override,) = drawn["fieldConfig"]["overrides"]
        assert override["matcher"] == {"id": "byFrameRefID", "options": "B"}
        assert {"id": "custom.axisPlacement", "value": "right"} in override["properties"]
        assert {"id": "unit", "value": "percentunit"} in override["properties"]


def test_no_query_is_left_out_for_want_of_a_letter() -> None:
    for board, panel in PANELS:
        drawn = [one for one in parsed(board)["panels"] if one["title"] == panel.title]
        written = [target["expr"] for one in drawn for target in one.get("targets", ())]
        assert {query.expr for query in panel.queries} <= set(written)


def test_boards_have_names_of_their_own() -> None:
    assert [board.name for board in BOARDS] == [
        "fleet",
        "room",
        "timing",
        "cause",
        "operator",
        "canary",
    ]
    assert len({board.title for board in BOARDS}) == len(BOARDS)
