"""What goes wrong, done to a running mixer; and a look into its shared memory."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.listening import until
from harness.mixer import Mixer
from voiceroom_mixer.core.state.legstate import LegState
from voiceroom_mixer.edge import shm
from voiceroom_mixer.edge.shm import Segment


def kill(mixer: Mixer, name: str) -> int:
    """SIGKILL a child; the monotonic time of it in ns."""
    os.kill(mixer.pids()[name], signal.SIGKILL)
    return time.monotonic_ns()


def wait_spare(mixer: Mixer) -> None:
    """Until a media process stands by that has imported everything: it waits in read(2)."""
    until(lambda: _is_warm(mixer.pids().get("voiceroom-spare", 0)), 20.0, "no spare")


def warm_spares(mixer: Mixer) -> int:
    """How many media processes stand by."""
    pid = mixer.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(_is_warm(int(child)) for child in children)


def _is_warm(pid: int) -> bool:
    try:
        mapped = "_binding" in Path(f"/proc/{pid}/maps").read_text()
        waits = Path(f"/proc/{pid}/syscall").read_text().startswith("0 ")
    except OSError:
        return False
    return mapped and waits


@contextmanager
def segment(mixer: Mixer) -> Iterator[Segment]:
    """The shared memory of the first media process."""
    links = Path(f"/proc/{mixer.process.pid}/fd").iterdir()
    path = next(p for p in links if "memfd:voiceroom-media-0" in os.readlink(p))
    fd = os.open(path, os.O_RDWR)
    try:
        yield shm.attach(fd)
    finally:
        os.close(fd)


def slot_of(memory: Segment, leg: str) -> int:
    """The slot of a leg by its public id."""
    states = (LegState.from_bytes(blob) for _, blob in memory.tables["legs"].used())
    return next(state.slot for state in states if state.leg == leg)


def jump(mixer: Mixer, leg: str, index: int) -> None:
    """Let the leg's next SRTP index be ``index``, as if so many packets had been sent. Less than
    2^15 ahead of what the receiver has: of more it would take the packet for an old one (RFC
    3711, 3.3.1)."""
    with segment(mixer) as memory:
        slot = slot_of(memory, leg)
        next_index, bound = memory.columns["tx_index"], memory.columns["tx_bound"]
        assert 0 < index - int(next_index[slot]) < 1 << 15
        # The mixer writes the index back after each packet, so ours may be lost: say it again.
        while int(next_index[slot]) < index:
            bound[slot] = index + 64
            next_index[slot] = index


@contextmanager
def pressed(mixer: Mixer, stop_s: float = 0.13, run_s: float = 0.01) -> Iterator[None]:
    """Media is stopped again and again, so that hardly a tick comes in time."""
    media, over = mixer.pids()["voiceroom-media"], threading.Event()

    def press() -> None:
        while not over.wait(run_s):
            os.kill(media, signal.SIGSTOP)
            over.wait(stop_s)
            os.kill(media, signal.SIGCONT)

    presser = threading.Thread(target=press)
    presser.start()
    try:
        yield
    finally:
        over.set()
        presser.join()
