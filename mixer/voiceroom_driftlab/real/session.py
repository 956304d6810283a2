"""Everything that a run needs, set up and taken down again."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.real import inside, shim
from voiceroom_driftlab.real.cgroups import PodCgroup
from voiceroom_driftlab.real.injecting import CROWD, Injector
from voiceroom_driftlab.real.preparing import Preparation
from voiceroom_driftlab.real.process import HOOK, MixerUnderTest
from voiceroom_driftlab.real.senders import Senders
from voiceroom_driftlab.real.spinner import FIFO, Spinner
from voiceroom_driftlab.real.watching import Watcher
from voiceroom_mixer.edge import clock

_CALIBRATION: Final = 2_000_000
"""References of which a collection is measured."""
_CROWD_NICE: Final = "0"
NEIGHBOURS: Final = 3
NEIGHBOUR_NICE: Final = "-5"
"""Three times the weight of the pod, as one with a greater request has."""


@dataclass(frozen=True, slots=True)
class Session:
    """One mixer under test and what is done to it."""

    mixer: MixerUnderTest
    watcher: Watcher
    injector: Injector
    pod_cpu: int
    cpus: int


def is_root() -> bool:
    """Cgroups and real-time priorities may be had."""
    return os.geteuid() == 0


@contextmanager
def session(environ: Mapping[str, str], *, time_namespace: bool = False) -> Iterator[Session]:
    """Raises ``OSError`` and ``BuildError`` when it cannot be set up; the message says why."""
    library = shim.build(shim.cache_folder(environ))
    allowed = sorted(os.sched_getaffinity(0))
    pod_cpu = allowed[-1]
    with ExitStack() as made:
        folder = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="voiceroom-driftlab-")))
        os.sched_setaffinity(0, allowed[:-1] or allowed)
        made.callback(os.sched_setaffinity, 0, allowed)
        clocks = shim.Shim(folder, library)
        made.callback(clocks.close)
        cgroup = PodCgroup() if is_root() else None
        if cgroup is not None:
            made.callback(cgroup.close)
        door = inside.Door(folder)
        made.callback(door.close)
        mixer = _mixer(folder, clocks, Preparation(os.getpid(), pod_cpu, cgroup, time_namespace))
        made.callback(mixer.close)
        yield _wired(made, mixer, clocks, cgroup, door, pod_cpu, os.cpu_count() or len(allowed))


def _mixer(folder: Path, clocks: shim.Shim, prepare: Preparation) -> MixerUnderTest:
    path = os.pathsep.join(filter(None, (str(HOOK), os.environ.get("PYTHONPATH"))))
    words = {**clocks.environ(), inside.DOOR_ENV: str(folder), "PYTHONPATH": path}
    return MixerUnderTest(folder, words, prepare)


def _wired(
    made: ExitStack, mixer: MixerUnderTest, clocks: shim.Shim, cgroup: PodCgroup | None,
    door: inside.Door, pod_cpu: int, cpus: int,
) -> Session:  # fmt: skip
    senders = Senders(mixer)
    made.callback(senders.close)
    watcher = Watcher(mixer.segment)
    made.callback(watcher.close)
    fifo = Spinner(pod_cpu, FIFO) if cgroup else None
    crowd = [Spinner(pod_cpu, _CROWD_NICE) for _ in range(CROWD if cgroup else 0)]
    for spinner in (*crowd, *([fifo] if fifo else ())):
        made.callback(spinner.close)
    injector = Injector(mixer, clocks, cgroup, door, fifo, crowd, references_per_ms())
    return Session(mixer, watcher, injector, pod_cpu, cpus)


def references_per_ms() -> float:
    """How many references a collection walks through in a millisecond of this machine's CPU."""
    gc.collect()
    gc.freeze()
    ballast: list[list[list[object]]] = [
        [[]] * inside.CHUNK for _ in range(_CALIBRATION // inside.CHUNK)
    ]
    took_ns = min(_collect_ns() for _ in range(3))
    del ballast
    gc.unfreeze()
    return _CALIBRATION / (took_ns / NS_PER_MS)


def _collect_ns() -> int:
    """CPU time: others who compute at the same time must not make the ballast too light."""
    begun_ns = clock.thread_cpu_ns()
    gc.collect()
    return clock.thread_cpu_ns() - begun_ns
