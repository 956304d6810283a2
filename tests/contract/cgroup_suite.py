"""What the chaos door relies on in cgroups: those in memory, files like the kernel's, and the
kernel's own all pass."""

from __future__ import annotations

from typing import Protocol

import pytest

from voiceroom_chaosdoor.quota import Cgroups, Quota

UID = "0b1c2d3e-1111-2222-3333-444455556666"
CONTAINER = "c0ffee00"


class Node(Protocol):
    """A node that has one pod with one container, and quota for it."""

    cgroups: Cgroups

    def end(self) -> None:
        """The container, and its cgroup."""


class CgroupSuite:
    """Subclasses give the fixture ``node``."""

    def test_a_container_is_found_by_its_pod_and_id(self, node: Node) -> None:
        found = node.cgroups.container(UID, CONTAINER)
        assert found is not None
        assert node.cgroups.read(found) is not None

    def test_others_are_not(self, node: Node) -> None:
        assert node.cgroups.container(UID, "another") is None
        assert node.cgroups.container(UID[:-1] + "7", CONTAINER) is None

    def test_a_quota_is_what_was_written_last(self, node: Node) -> None:
        path = self._path(node)
        for quota_us in (50_000, 1_000, None, 25_000):
            quota = Quota(quota_us, 100_000)
            assert node.cgroups.write(path, quota)
            assert node.cgroups.read(path) == quota

    def test_a_cgroup_that_has_gone_takes_nothing(self, node: Node) -> None:
        path = self._path(node)
        node.end()
        assert node.cgroups.read(path) is None
        assert not node.cgroups.write(path, Quota(50_000, 100_000))
        assert node.cgroups.container(UID, CONTAINER) is None

    def _path(self, node: Node) -> str:
        path = node.cgroups.container(UID, CONTAINER)
        if path is None:
            pytest.fail("no container")
        return path
