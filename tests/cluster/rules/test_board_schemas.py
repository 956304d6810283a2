"""Boards by the schemas of the Grafanas that people run. They were not run in Grafana."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import grafanaschemas
from harness.charts import ROOT

BOARDS = ROOT / "dashboards"
OF_THE_SOURCE = {"annotations.list[].titleFormat", "annotations.list[].step"}
"""What schemas do not have and the data source of Prometheus reads, as its source has it."""
NEWER = {
    "10.4": {
        "templating.list[].allowCustomValue",
        "panels[].options.percentChangeColorMode",
        "panels[].options.perPage",
        "panels[].options.selectionMode",
    },
    "12": set(),
    "newest": set(),
}
"""What a version does not know: Grafana leaves such fields alone, and each has the value that it
has where it is not said."""


def library(version: str) -> Path:
    """Or the test is skipped."""
    try:
        return grafanaschemas.installed(version)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"Grafana's library for {version} cannot be had: {error}")


@pytest.mark.parametrize("version", grafanaschemas.VERSIONS)
def test_a_grafana_of_that_version_knows_all_that_boards_say(version: str) -> None:
    found = grafanaschemas.unknown(library(version), BOARDS)
    assert len(found) == len(list(BOARDS.glob("*.json"))) > 0
    assert {field for fields in found.values() for field in fields} <= (
        NEWER[version] | OF_THE_SOURCE
    )


def test_a_field_that_is_not_known_would_be_found(tmp_path: Path) -> None:
    board = json.loads((BOARDS / "fleet.json").read_text())
    board["panels"][2]["options"]["colourMode"] = "value"
    (tmp_path / "fleet.json").write_text(json.dumps(board))
    found = grafanaschemas.unknown(library("12"), tmp_path)
    assert found == {"fleet.json": ["panels[].options.colourMode"]}
