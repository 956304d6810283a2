"""Whether the media processes of pods on this machine were given a CPU when they were ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from disturbance import mixer_was_starved
from harness.voice import Voice
from localcluster import realtime
from localcluster.own import Own

LOOK_S = 0.01
_MEDIA = b"voiceroom-media"


@contextmanager
def watching_for_starvation(voice: Voice) -> Iterator[None]:
    """Tells ``disturbance`` of each wait for a CPU that was the machine's doing, for the time of
    the block. A wait in a period in which the pod ran into its own quota is the pod's doing.
    Where the nodes are not on this machine, nobody looks."""
    if isinstance(voice.cluster, Own):
        yield
        return
    watched = [_Media(folder, pid) for folder in _containers(voice) for pid in _media(folder)]
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(watched, over))
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _containers(voice: Voice) -> list[Path]:
    nodes = {node.name: node for node in voice.machine.layout.nodes}
    return [
        folder
        for pod in voice.pods().values()
        for folder in realtime.container_cgroups(
            nodes[pod["spec"]["nodeName"]], pod["metadata"]["uid"]
        )
    ]


def _media(container: Path) -> list[int]:
    pids = map(int, (container / "cgroup.procs").read_text().split())
    return [pid for pid in pids if _MEDIA in Path(f"/proc/{pid}/cmdline").read_bytes()]


class _Media:
    """One media process."""

    def __init__(self, container: Path, pid: int) -> None:
        self._stat, self._schedstat = container / "cpu.stat", Path(f"/proc/{pid}/schedstat")
        self._waited_ns, self._throttled = self._waits(), self._throttles()

    def _waits(self) -> int:
        """Ready to run and not running, in ns since it began (sched-stats.rst)."""
        return int(self._schedstat.read_text().split()[1])

    def _throttles(self) -> str:
        lines = self._stat.read_text().splitlines()
        return next(line for line in lines if line.startswith("nr_throttled"))

    def look(self) -> None:
        """Tell of a wait since the last look."""
        waited_ns, throttled = self._waits(), self._throttles()
        if throttled == self._throttled:
            mixer_was_starved(time.monotonic_ns(), waited_ns - self._waited_ns)
        self._waited_ns, self._throttled = waited_ns, throttled


def _look(watched: list[_Media], over: threading.Event) -> None:
    while not over.wait(LOOK_S):
        for media in watched:
            with suppress(OSError):  # its pod has gone
                media.look()
