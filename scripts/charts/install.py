"""The table of values in ``docs/install.md``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from charts.values import ROOT, Value, values

PATH: Final = ROOT / "docs" / "install.md"
BEGIN: Final = "<!-- values: made by `make generate` -->\n"
END: Final = "<!-- /values -->\n"
_HEAD: Final = "| value | default | what |\n| --- | --- | --- |\n"


def page(path: Path = PATH) -> str:
    """The page with a fresh table."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path}: the marks of the values table are missing")
    rows = "".join(_row(value) for value in values())
    return f"{before}{BEGIN}{_HEAD}{rows}{END}{after}"


def _row(value: Value) -> str:
    says = value.says.replace("|", "\\|")
    return f"| `{value.path}` | {_default(value.default)} | {says} |\n"


def _default(given: Any) -> str:
    if isinstance(given, dict) and given:
        return "see values.yaml"
    return f"`{json.dumps(given)}`"
