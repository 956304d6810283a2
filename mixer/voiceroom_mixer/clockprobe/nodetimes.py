"""What of a node's time goes to interrupts, the hypervisor, and waiting: read at each scrape.

The files of ``/proc`` are the whole node's, also in a container. Beside a mixer nobody reads them
at a scrape, as that takes a while where there are many CPUs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from voiceroom_api.probe_metrics import NODE_TIMES
from voiceroom_mixer.clockprobe.exposition import Exposed

_COLUMNS: Final[Mapping[str, int]] = {"irq": 5, "softirq": 6, "steal": 7}
"""Of ``/proc/stat``: user nice system idle iowait irq softirq steal (proc_stat(5))."""
_RESOURCES: Final = ("cpu", "io", "memory")
_US_PER_S: Final = 1_000_000


def node_times(root: Path = Path("/")) -> Exposed:
    """The metrics of ``NODE_TIMES``, in their order; a kernel without PSI has none of that."""
    cpus, pressure = NODE_TIMES
    yield cpus, dict(_of_cpus(_read(root / "proc/stat")))
    yield pressure, dict(_waiting(root / "proc/pressure"))


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""


def _of_cpus(stat: str) -> Iterator[tuple[tuple[str, ...], float]]:
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    for line in stat.splitlines():
        name, _, rest = line.partition(" ")
        numbers = rest.split()
        if re.fullmatch(r"cpu\d+", name) and len(numbers) > max(_COLUMNS.values()):
            for mode, column in _COLUMNS.items():
                yield (name.removeprefix("cpu"), mode), int(numbers[column]) / ticks_per_s


def _waiting(folder: Path) -> Iterator[tuple[tuple[str, ...], float]]:
    for resource in _RESOURCES:
        some = _read(folder / resource).partition("\n")[0]
        total = some.rpartition("total=")[2]
        if total.isdigit():
            yield (resource,), int(total) / _US_PER_S
