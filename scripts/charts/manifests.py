"""``charts/manifests``: what ``kubectl apply -f`` takes, for people without Helm."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from charts.values import CHART, ROOT

FOLDER: Final = ROOT / "charts" / "manifests"
NAMESPACE: Final = "voiceroom"
KUBERNETES: Final = "1.34.0"
"""The version that templates are rendered for; nothing in them depends on it."""
_OF_HELM: Final = re.compile(
    r"^ *(app\.kubernetes\.io/managed-by: Helm|helm\.sh/chart: .*|# Source: .*)\n", re.MULTILINE
)
_HEAD: Final = (
    "# Made from charts/voiceroom by `make generate`; docs/install.md says how to use it.\n"
)
_OWN_NAMESPACE: Final = f"""\
---
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
"""
_SETS: Final = {
    "voiceroom.yaml": (),
    "voiceroom-namespaced.yaml": ("scope.allNamespaces=false", "rbac.aggregate=false"),
}
"""File and the values that differ from the defaults."""


def crds() -> str:
    """Both resource definitions, as they are in ``crds/``."""
    return "".join(f"---\n{path.read_text()}" for path in sorted((ROOT / "crds").glob("*.yaml")))


def rendered(helm: Path) -> dict[Path, str]:
    """The text of the files that the chart gives; ``helm`` is version 3 or 4."""
    return {FOLDER / name: _render(helm, values) for name, values in _SETS.items()}


def _render(helm: Path, values: tuple[str, ...]) -> str:
    command = [str(helm), "template", "voiceroom", str(CHART), f"--namespace={NAMESPACE}"]
    # The schema is made beside, and may not be fresh yet.
    options = [
        "--no-hooks",
        "--skip-schema-validation",
        f"--kube-version={KUBERNETES}",
        *(f"--set={v}" for v in values),
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return _HEAD + _OWN_NAMESPACE + _OF_HELM.sub("", done.stdout)
