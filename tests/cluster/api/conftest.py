"""A control plane with our resources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.controlplane import ControlPlane

CRDS = str(Path(__file__).parents[3] / "crds")


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """Other modules bring the resources themselves, and take them away."""
    control_plane.kubectl("apply", "--server-side", "-f", CRDS)
    for plural in ("voicerooms", "mixerpools"):
        control_plane.kubectl(
            "wait", "--for=condition=Established", f"crd/{plural}.voiceroom.dev", "--timeout=30s"
        )
    yield control_plane
    control_plane.kubectl("delete", "-f", CRDS)
