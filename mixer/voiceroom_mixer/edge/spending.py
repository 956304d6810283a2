"""What the own cgroup has used of CPU time, and its quota: read anew, as either may be set anew."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from voiceroom_mixer.edge import cgroup
from voiceroom_mixer.edge.accounts import OpenFile, numbers

_NS_PER_US = 1_000


class Spent(NamedTuple):
    """The last fields of ``NodeAccounts``."""

    used_ns: int = 0
    quota_ns: int = 0
    period_ns: int = 0


class SpendingReader:
    """Two or three small files; whatever is missing reads as no quota."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._files = cgroup.spending_files(root)
        nowhere = root / "nonexistent"
        found = self._files
        self._used = OpenFile(found.used if found else nowhere)
        self._quota = OpenFile(found.quota if found else nowhere)
        self._period = OpenFile(found.period if found and found.period else nowhere)

    def read(self) -> Spent:
        """Now."""
        if self._files is None:
            return Spent()
        used_ns = self._used_ns(self._files)
        quota_us, period_us = numbers(self._quota.read() + b" " + self._period.read(), 2)
        if not quota_us or not period_us:
            return Spent(used_ns)
        return Spent(used_ns, quota_us * _NS_PER_US, period_us * _NS_PER_US)

    def _used_ns(self, files: cgroup.Spending) -> int:
        _, _, rest = (b"\n" + self._used.read()).partition(b"\n" + files.used_name)
        figure = rest.split(b"\n", 1)[0].strip()
        return int(figure) * files.used_unit_ns if figure.isdigit() else 0

    def close(self) -> None:
        """Let go of the files."""
        for file in (self._used, self._quota, self._period):
            file.close()
