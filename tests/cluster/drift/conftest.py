"""Operators as processes of this machine: nothing that is done to nodes stalls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.apiproxy import ApiProxy
from harness.operators import LocalOperator, at_work
from harness.voice import Voice
from localcluster.cluster import Cluster


@pytest.fixture
def tended(
    machine_cluster: Cluster,
    proxy: ApiProxy,
    image: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Voice, LocalOperator]]:
    """A namespace, and the operator that looks after it through ``proxy``."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].strip("-")
    with at_work(machine_cluster, proxy, image, tmp_path, name) as made:
        yield made


@pytest.fixture
def watched(tended: tuple[Voice, LocalOperator]) -> Voice:
    """The namespace."""
    return tended[0]
