"""A panel as Grafana's, one function for each kind of picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from grafana_foundation_sdk.builders import (
    common,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as d
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from voiceroom_dashboards.boards.model import Kind, Panel, Query

SOURCE: Final = d.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Whatever the person who looks has chosen."""
_HEIGHT: Final[Mapping[Kind, int]] = {"number": 5, "rows": 9}
_REF_IDS: Final = "ABCDEFGH"


Drawing = timeseries.Panel | stat.Panel | heatmap.Panel | statetimeline.Panel | table.Panel


def draw(panel: Panel, number: int) -> Drawing:
    """``number``: unique on its board."""
    drawn = _KINDS[panel.kind](panel)
    drawn.id(number).title(panel.title).description(panel.says).datasource(SOURCE)
    drawn.unit(panel.unit).span(panel.width).height(_HEIGHT.get(panel.kind, 8))
    for ref_id, query in zip(_REF_IDS, panel.queries, strict=False):
        drawn.with_target(_target(query, panel.kind, ref_id))
        if query.right:
            drawn.override_by_query(ref_id, _on_the_right(query.right))
    if panel.words:
        drawn.mappings([_words(panel)])
    return drawn.thresholds(_steps(panel))


def _target(query: Query, kind: Kind, ref_id: str) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).ref_id(ref_id).datasource(SOURCE)
    if kind in ("table", "facts"):
        return made.instant().format(PromQueryFormat.TABLE)
    heat = PromQueryFormat.HEATMAP if kind == "buckets" else PromQueryFormat.TIME_SERIES
    return made.range().format(heat).legend_format(query.legend)


def _on_the_right(unit: str) -> list[d.DynamicConfigValue]:
    return [
        d.DynamicConfigValue(id_val="unit", value=unit),
        d.DynamicConfigValue(id_val="custom.axisPlacement", value="right"),
    ]


def _steps(panel: Panel) -> ThresholdsConfig:
    """The first step has no value: it is all that lies below the second."""
    first = d.Threshold(value=None, color=panel.below)
    steps = [first, *(d.Threshold(value=at, color=colour) for at, colour in panel.steps)]
    return ThresholdsConfig().mode(d.ThresholdsMode.ABSOLUTE).steps(steps)


def _words(panel: Panel) -> d.ValueMap:
    return d.ValueMap(
        {
            str(value): d.ValueMappingResult(text=text, color=colour)
            for value, (text, colour) in panel.words.items()
        }
    )


def _legend() -> common.VizLegendOptions:
    shown = common.VizLegendOptions().show_legend(True)
    return shown.display_mode(c.LegendDisplayMode.LIST).placement(c.LegendPlacement.BOTTOM)


def _lines(panel: Panel) -> Drawing:
    tooltip = common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI)
    drawn = timeseries.Panel().legend(_legend())
    drawn.tooltip(tooltip.sort(c.SortOrder.DESCENDING)).line_width(1).fill_opacity(5)
    # half a minute without a scrape is no hole; longer is one, and is to be seen
    drawn.span_nulls(30_000)
    shown = c.GraphThresholdsStyleMode.DASHED if panel.steps else c.GraphThresholdsStyleMode.OFF
    return drawn.thresholds_style(common.GraphThresholdsStyleConfig().mode(shown))


def _number(panel: Panel) -> Drawing:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    drawn = stat.Panel().reduce_options(last).graph_mode(c.BigValueGraphMode.NONE)
    return drawn.color_mode(c.BigValueColorMode.VALUE).text_mode(c.BigValueTextMode.AUTO)


def _heat() -> heatmap.Panel:
    colours = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges")
    # exponent and fill are of another mode; without them the SDK writes 0 and ""
    colours.steps(64).exponent(0.5).fill("dark-orange")
    return heatmap.Panel().calculate(False).color(colours)


def _buckets(panel: Panel) -> Drawing:
    rows = heatmap.RowsHeatmapOptions().layout(c.HeatmapCellLayout.LE)
    return _heat().rows_frame(rows).y_axis(heatmap.YAxisConfig().unit("s"))


def _rows(panel: Panel) -> Drawing:
    cells = heatmap.CellValues().unit(panel.unit)
    rows = heatmap.RowsHeatmapOptions().layout(c.HeatmapCellLayout.AUTO)
    return _heat().rows_frame(rows).cell_values(cells)


def _states(panel: Panel) -> Drawing:
    return statetimeline.Panel().legend(_legend()).merge_values(True).fill_opacity(80)


def _table(panel: Panel) -> Drawing:
    return table.Panel().override_by_name("Time", _hidden())


def _facts(panel: Panel) -> Drawing:
    drawn = table.Panel().override_by_name("Time", _hidden())
    return drawn.override_by_name("Value", _hidden())


def _hidden() -> list[d.DynamicConfigValue]:
    return [d.DynamicConfigValue(id_val="custom.hidden", value=True)]


_KINDS: Final[Mapping[Kind, Callable[[Panel], Drawing]]] = {
    "lines": _lines,
    "number": _number,
    "buckets": _buckets,
    "rows": _rows,
    "states": _states,
    "table": _table,
    "facts": _facts,
}
