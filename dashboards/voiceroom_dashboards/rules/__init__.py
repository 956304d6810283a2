"""Recording rules and alerts: their one source. ``make generate`` writes them as YAML, into the
chart, and as the pages that explain them.

A time is a number of seconds here (``_s``); in PromQL it is written as PromQL has it.
"""
