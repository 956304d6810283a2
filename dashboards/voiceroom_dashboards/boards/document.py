"""The boards as Grafana's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as g
from grafana_foundation_sdk.builders import text
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as d
from grafana_foundation_sdk.models.text import TextMode

from voiceroom_dashboards.boards.canary import CANARY
from voiceroom_dashboards.boards.cause import CAUSE
from voiceroom_dashboards.boards.draw import SOURCE, draw
from voiceroom_dashboards.boards.fleet import FLEET
from voiceroom_dashboards.boards.model import Board, Mark, Row, Variable
from voiceroom_dashboards.boards.operator_board import OPERATOR
from voiceroom_dashboards.boards.room import ROOM_BOARD
from voiceroom_dashboards.boards.timing import TIMING
from voiceroom_dashboards.rules.promql import SCRAPE_S

BOARDS: Final = (FLEET, ROOM_BOARD, TIMING, CAUSE, OPERATOR, CANARY)
TAG: Final = "voiceroom"
"""By which the boards find each other."""


def texts() -> dict[str, str]:
    """The file of each board: name and text."""
    return {f"{board.name}.json": board_json(board) for board in BOARDS}


def board_json(board: Board) -> str:
    """One board. Keys are sorted, so that a change of the SDK's order changes nothing."""
    whole = json.loads(JSONEncoder().encode(_drawn(board).build()))
    _title(whole, board)
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _title(whole: dict[str, Any], board: Board) -> None:
    """What Grafana's Prometheus data source reads of an annotation, and its schemas leave to it."""
    for made, mark in zip(whole["annotations"].get("list", ()), board.marks, strict=True):
        made |= {"titleFormat": mark.title, "step": f"{SCRAPE_S}s"}


def _drawn(board: Board) -> g.Dashboard:
    made = g.Dashboard(board.title).uid(board.uid).description(board.says).tags([TAG])
    made.readonly().time("now-1h", "now").refresh("30s").timezone("browser")
    made.tooltip(d.DashboardCursorSync.CROSSHAIR).link(_others())
    made.with_variable(_source())
    for variable in board.variables:
        made.with_variable(_variable(variable))
    for mark in board.marks:
        made.annotation(_mark(mark))
    numbers = count(1)
    for row in board.rows:
        _add(made, row, numbers)
    return made


def _add(made: g.Dashboard, row: Row, numbers: Iterator[int]) -> None:
    made.with_row(g.Row(row.title).id(next(numbers)))
    made.with_panel(_head(row).id(next(numbers)))
    for panel in row.panels:
        made.with_panel(draw(panel, next(numbers)))


def _head(row: Row) -> text.Panel:
    """Rows of Grafana have no links: a panel of text above the others has them."""
    words = row.head()
    lines = max(2, words.count("\n") + 1) if row.panels else words.count("\n")
    drawn = text.Panel().title("").transparent(True).mode(TextMode.MARKDOWN).content(words)
    return drawn.span(24).height(lines)


def _others() -> g.DashboardLink:
    """The other boards, narrowed and timed as this one."""
    link = g.DashboardLink("Voiceroom").type(d.DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.as_dropdown(True).include_vars(True).keep_time(True)


def _mark(mark: Mark) -> g.AnnotationQuery:
    made = g.AnnotationQuery().name(mark.name).datasource(SOURCE).enable(True)
    return made.icon_color(mark.colour).expr(mark.expr)


def _source() -> g.DatasourceVariable:
    return g.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _variable(variable: Variable) -> g.QueryVariable:
    query: dict[str, object] = {"query": variable.query, "refId": "values"}
    made = g.QueryVariable(variable.name).description(variable.says).datasource(SOURCE)
    made.query(query).refresh(d.VariableRefresh.ON_TIME_RANGE_CHANGED)
    made.sort(d.VariableSort.ALPHABETICAL_ASC)
    # .* and not .+ : series without that label belong to all
    return made if variable.one else made.multi(True).include_all(True).all_value(".*")
