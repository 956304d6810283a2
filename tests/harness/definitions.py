"""Our resources in an API server of a test."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from localcluster.controlplane import ControlPlane
from localcluster.failure import ClusterError

FOLDER: Final = str(Path(__file__).parents[2] / "crds")
WITHIN_S: Final = 30.0
LOOK_S: Final = 0.1
REMIND_LOOKS: Final = 20


def install(plane: ControlPlane) -> None:
    """Until both can be used. ``kubectl wait`` gives up on a definition without conditions, which
    one has that was made just now."""
    plane.kubectl("apply", "--server-side", "-f", FOLDER)
    end_s = time.monotonic() + WITHIN_S
    for plural in ("voicerooms", "mixerpools"):
        while not _is_established(plane, f"crd/{plural}.voiceroom.dev"):
            assert time.monotonic() < end_s, f"{plural} is not established"
            time.sleep(LOOK_S)


def remove(plane: ControlPlane, source: str = FOLDER) -> None:
    """Both.

    Where a definition has just been changed, the API server's finalizer may not read its objects
    at once. It tries again 5 ms later; if its own note of that is not in its cache by then, it
    waits for word of a change that it then takes for its own: for five minutes, until it looks at
    everything (apiextensions-apiserver, crd_finalizer.go). Any change reminds it.
    """
    plane.kubectl("delete", "-f", source, "--wait=false")
    end_s, times = time.monotonic() + WITHIN_S, 0
    while left := [name for name in _names(plane) if "voiceroom.dev" in name]:
        assert time.monotonic() < end_s, f"not gone: {left}"
        time.sleep(LOOK_S)
        times += 1
        if times % REMIND_LOOKS == 0:
            for name in left:
                with suppress(ClusterError):  # gone meanwhile
                    plane.kubectl("annotate", "--overwrite", name, f"reminded={times}")


def _names(plane: ControlPlane) -> list[str]:
    return plane.kubectl("get", "crds", "-o", "name").split()


def _is_established(plane: ControlPlane, name: str) -> bool:
    status = json.loads(plane.kubectl("get", name, "-o", "json")).get("status") or {}
    found = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    return found.get("Established") == "True"
