"""The operator, installed in a real cluster by its chart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browsers.chromium import Chromiums, chromiums
from harness.voice import SMALL, Voice, namespace
from images import cache
from images.voiceroom import Image, voiceroom_image
from localcluster import voiceroom
from localcluster.cluster import Cluster
from localcluster.voiceroom import Helm

SETTINGS = (
    f"--set=defaultPool.resources.requests.cpu={SMALL['requests']['cpu']}",
    "--set=defaultPool.drain.deadline=20s",
)


@pytest.fixture(scope="session")
def image(machine_cluster: Cluster) -> Image:
    """Of this checkout, on the nodes."""
    made = voiceroom_image(cache.folder())
    machine_cluster.load(made.archive)
    return made


@pytest.fixture(scope="session")
def installed(machine_cluster: Cluster, image: Image) -> Cluster:
    """With the operator at work."""
    voiceroom.upgrade(Helm(machine_cluster), image, *SETTINGS)
    return machine_cluster


@pytest.fixture
def voice(installed: Cluster, request: pytest.FixtureRequest) -> Iterator[Voice]:
    """A namespace for one test."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].strip("-")
    with namespace(installed, name) as made:
        yield made


@pytest.fixture(scope="module")
def shared(installed: Cluster, request: pytest.FixtureRequest) -> Iterator[Voice]:
    """A namespace for a module whose tests do not get into each other's way."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    with namespace(installed, f"all-{name}") as made:
        yield made


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromiums]:
    """Chromium browsers, one for each person."""
    with chromiums(tmp_path) as browsers:
        yield browsers
