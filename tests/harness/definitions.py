"""Our resources in an API server of a test."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

from localcluster.controlplane import ControlPlane

FOLDER: Final = str(Path(__file__).parents[2] / "crds")
WITHIN_S: Final = 30.0
LOOK_S: Final = 0.1


def install(plane: ControlPlane) -> None:
    """Until both can be used. ``kubectl wait`` gives up on a definition without conditions, which
    one has that was made just now."""
    plane.kubectl("apply", "--server-side", "-f", FOLDER)
    end_s = time.monotonic() + WITHIN_S
    for plural in ("voicerooms", "mixerpools"):
        while not _is_established(plane, f"crd/{plural}.voiceroom.dev"):
            assert time.monotonic() < end_s, f"{plural} is not established"
            time.sleep(LOOK_S)


def remove(plane: ControlPlane) -> None:
    """Both."""
    plane.kubectl("delete", "-f", FOLDER)


def _is_established(plane: ControlPlane, name: str) -> bool:
    status = json.loads(plane.kubectl("get", name, "-o", "json")).get("status") or {}
    found = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    return found.get("Established") == "True"
