"""The specs of ``vectors/refused-specs.yaml`` as whole documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from voiceroom_api.names import API_VERSION

FILE = Path(__file__).parents[1] / "vectors" / "refused-specs.yaml"


@dataclass(frozen=True, slots=True)
class RefusedSpec:
    """One document, and what is said of it."""

    kind: str
    text: str
    """YAML."""
    api: tuple[str, ...]
    """Each thing that an API server says of it."""
    here: str
    """What the typed twin says, with the path of the field first."""

    def __str__(self) -> str:
        return self.here.partition(":")[0]


def refused_specs(*kinds: str) -> list[RefusedSpec]:
    """All of these kinds."""
    table = yaml.safe_load(FILE.read_text())
    return [made for kind in kinds for made in _of(kind, table[kind])]


def _of(kind: str, rows: list[dict[str, Any]]) -> Iterator[RefusedSpec]:
    for row in rows:
        lines = "".join(f"  {line}\n" for line in row.get("spec", "").splitlines())
        head = (
            f"apiVersion: {API_VERSION}\nkind: {kind}\n"
            f"metadata: {{name: {row.get('name', 'lobby')}, namespace: default}}\n"
        )
        text = f"{head}spec:\n{lines}" if lines else head
        yield RefusedSpec(kind, text, tuple(row["api"]), row["here"])
