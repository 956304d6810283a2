"""How much CPU time a cgroup may use, and what is needed of the tree of cgroups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

LEAST_US: Final = 1_000
"""The kernel takes no less."""


@dataclass(frozen=True, slots=True)
class Quota:
    """So many microseconds of each period, over all CPUs; None = as many as there are."""

    quota_us: int | None
    period_us: int

    def share(self, percent: int) -> Quota:
        """So much of it. What has no quota, as on CPUs of its own, gives so much of one CPU: the
        tick loop of a mixer never uses more."""
        whole_us = self.period_us if self.quota_us is None else self.quota_us
        return Quota(max(LEAST_US, whole_us * percent // 100), self.period_us)


class Cgroups(Protocol):
    """The tree of cgroups of the node: the real one and that of tests pass one suite."""

    def container(self, pod_uid: str, container: str) -> str | None:
        """The path of a container's cgroup below the tree's root; None = it is not there."""

    def processes(self, pod_uid: str) -> list[int]:
        """Of all containers of a pod; empty = it is not there."""

    def read(self, path: str) -> Quota | None:
        """None = the cgroup is gone. Raises ``OSError``."""

    def write(self, path: str, quota: Quota) -> bool:
        """False = the cgroup is gone. Raises ``OSError`` when the kernel refuses."""
