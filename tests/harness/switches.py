"""Parts of the chart that are off by default, switched on for a while in a cluster under test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from localcluster import voiceroom
from localcluster.cluster import Cluster
from localcluster.own import Own
from localcluster.voiceroom import Helm


@contextmanager
def switched_on(cluster: Cluster | Own, image: str, *switches: str) -> Iterator[None]:
    """``switches``: such as ``chaos.enabled``; all other values stay as they are."""
    helm = Helm(cluster)
    voiceroom.upgrade(helm, image, "--reuse-values", *(f"--set={one}=true" for one in switches))
    try:
        yield
    finally:
        off = (f"--set={one}=false" for one in switches)
        voiceroom.upgrade(helm, image, "--reuse-values", *off)
