"""The place of it: two nodes on this machine, voiceroom on them, and a room of the examples."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.looking import NAMESPACE, ROOM
from harness import drift
from harness.voice import Voice, until
from images import cache
from images.voiceroom import voiceroom_image
from localcluster import cluster, preconditions, voiceroom
from localcluster.cluster import Cluster
from localcluster.voiceroom import EXAMPLES, Helm

NAME = "demo"
VALUES = Path(__file__).resolve().parent / "values.yaml"
EXAMPLE = EXAMPLES / f"{ROOM}.yaml"


@contextmanager
def cluster_of_its_own() -> Iterator[Cluster]:
    """Up for the time of the block; nothing is left of it afterwards, also after Ctrl-C.

    Raises: ClusterError, also where no cluster can be.
    """
    preconditions.check()
    try:
        yield cluster.up(NAME)
    finally:
        with _undisturbed():
            print("== taking the cluster down", flush=True)
            cluster.down(NAME)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """The end is not to be cut short by a second Ctrl-C."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def room(machine: Cluster) -> Iterator[Voice]:
    """The room, Ready, and a mixer pod that is ready on each node."""
    image = voiceroom_image(cache.folder())
    machine.load(image.archive)
    voiceroom.upgrade(Helm(machine), image.reference, "--values", str(VALUES))
    with ExitStack() as ends:
        voice = Voice(machine, NAMESPACE, ends)
        voice.kubectl("apply", "-f", str(EXAMPLE))
        voice.ready(ROOM)
        until(lambda: len(drift.nodes(voice)) == 2, 60, "a mixer pod on each node")
        for pod in voice.pods():
            voice.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=60s")
        yield voice
