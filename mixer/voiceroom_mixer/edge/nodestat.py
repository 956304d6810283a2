"""What the node tells of itself while it runs: steal, pressure, quotas, the clock source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.timing.detect.observations import NodeAccounts
from voiceroom_mixer.edge.accounts import OpenFile, numbers, throttled_ns
from voiceroom_mixer.edge.spending import SpendingReader

_SOURCE: Final = "sys/devices/system/clocksource/clocksource0/current_clocksource"
_STAT_BYTES: Final = 32_768
"""``/proc/stat`` up to its CPU lines, of about 90 bytes each."""
_STEAL: Final = 8
"""Its column: user nice system idle iowait irq softirq steal."""
_NS_PER_US: Final = 1_000


class NodeReader:
    """Reads a handful of files; about 40 µs on a small machine, so once a second and when late."""

    def __init__(
        self, ancestors: Sequence[Path], cpus: Sequence[int], root: Path = Path("/")
    ) -> None:
        """``ancestors``: the visible cgroups above the own; ``cpus``: those allowed."""
        self._ancestors = [OpenFile(folder / "cpu.stat") for folder in ancestors]
        self._stat = OpenFile(root / "proc/stat", _STAT_BYTES)
        self._pressure = OpenFile(root / "proc/pressure/cpu")
        self._source = OpenFile(root / _SOURCE)
        self._spending = SpendingReader(root)
        self._cpus = frozenset(b"cpu%d" % cpu for cpu in cpus)
        self._jiffy_ns = NS_PER_S // os.sysconf("SC_CLK_TCK")

    def read(self, now_ns: int) -> NodeAccounts:
        """All of it at ``now_ns``."""
        return NodeAccounts(
            now_ns,
            sum(throttled_ns(file.read()) for file in self._ancestors),
            self._steal(),
            self._pressed_ns(),
            self._source.read().strip().decode("ascii", "replace"),
            *self._spending.read(),
        )

    def _steal(self) -> tuple[int, ...]:
        found = []
        for line in self._stat.read().split(b"\n"):
            if not line.startswith(b"cpu"):
                break
            name, _, rest = line.partition(b" ")
            if name in self._cpus:
                found.append(numbers(rest, _STEAL)[_STEAL - 1] * self._jiffy_ns)
        return tuple(found)

    def _pressed_ns(self) -> int:
        """PSI: the ``total`` of ``some`` is in microseconds."""
        some = self._pressure.read().split(b"\n", 1)[0]
        _, _, total = some.rpartition(b"total=")
        return int(total) * _NS_PER_US if total.isdigit() else 0

    def close(self) -> None:
        """Let go of the files."""
        for file in (*self._ancestors, self._stat, self._pressure, self._source):
            file.close()
        self._spending.close()
