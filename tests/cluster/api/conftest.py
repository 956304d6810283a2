"""A control plane with our resources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import definitions
from localcluster.controlplane import ControlPlane


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """Other modules bring the resources themselves, and take them away."""
    definitions.install(control_plane)
    yield control_plane
    definitions.remove(control_plane)
