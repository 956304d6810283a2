"""Grafana boards: their one source. ``make generate`` writes them as JSON, here and into the chart.

Rows stand in the order in which somebody who is paged looks; ``docs/boards.md`` has that order.
"""
