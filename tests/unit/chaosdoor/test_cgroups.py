"""Cgroups in memory, in files, and of this machine's kernel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contract.cgroup_suite import CONTAINER, UID, CgroupSuite
from fakes.nodes import FakeCgroups
from voiceroom_chaosdoor.cgroups import TreeV1, TreeV2, mounted
from voiceroom_chaosdoor.quota import Quota

KERNELS = Path("/sys/fs/cgroup")


@dataclass
class Memory:
    """See ``Node``."""

    cgroups: FakeCgroups = field(
        default_factory=lambda: FakeCgroups({f"pod{UID}/{CONTAINER}": Quota(50_000, 100_000)})
    )

    def end(self) -> None:
        """See ``Node``."""
        self.cgroups.quotas.clear()


class TestMemory(CgroupSuite):
    @pytest.fixture
    def node(self) -> Memory:
        return Memory()


@dataclass
class Folders:
    """A tree of files below ``at``; see ``Node``."""

    cgroups: TreeV1 | TreeV2
    container: Path

    def end(self) -> None:
        """See ``Node``."""
        shutil.rmtree(self.container)


def v1(at: Path) -> Folders:
    """By the kubelet's driver cgroupfs, below a folder of the node."""
    container = at / "cpu,cpuacct" / "node" / "kubepods" / "burstable" / f"pod{UID}" / CONTAINER
    container.mkdir(parents=True)
    (at / "cpu,cpuacct" / "cgroup.procs").touch()
    (container / "cpu.cfs_quota_us").write_text("50000\n")
    (container / "cpu.cfs_period_us").write_text("100000\n")
    (container.parent / "cgroup.procs").write_text("41\n")
    (container / "cgroup.procs").write_text("42\n43\n")
    return Folders(mounted(at), container)


def v2(at: Path) -> Folders:
    """By systemd, with containerd's names."""
    pods = at / "kubepods.slice" / "kubepods-burstable.slice"
    slice_of_pod = f"kubepods-burstable-pod{UID.replace('-', '_')}.slice"
    container = pods / slice_of_pod / f"cri-containerd-{CONTAINER}.scope"
    container.mkdir(parents=True)
    (at / "cgroup.controllers").write_text("cpu memory\n")
    (container / "cpu.max").write_text("max 100000\n")
    (container / "cgroup.procs").write_text("42\n43\n")
    return Folders(mounted(at), container)


class TestVersion1(CgroupSuite):
    @pytest.fixture
    def node(self, tmp_path: Path) -> Folders:
        return v1(tmp_path)

    def test_processes_of_all_containers_are_found(self, node: Folders) -> None:
        assert node.cgroups.processes(UID) == [41, 42, 43]
        assert node.cgroups.processes("another") == []

    def test_the_kernel_is_told_in_its_own_words(self, node: Folders) -> None:
        path = str(node.container.relative_to(node.container.parents[4]))
        node.cgroups.write(path, Quota(None, 100_000))
        assert (node.container / "cpu.cfs_quota_us").read_text() == "-1\n"


class TestVersion2(CgroupSuite):
    @pytest.fixture
    def node(self, tmp_path: Path) -> Folders:
        return v2(tmp_path)

    def test_processes_are_found(self, node: Folders) -> None:
        assert node.cgroups.processes(UID) == [42, 43]


def test_a_mount_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mount the node's /sys/fs/cgroup"):
        mounted(tmp_path)


@dataclass
class Kernel:
    """See ``Node``; ``container`` is a cgroup of this machine."""

    cgroups: TreeV1 | TreeV2
    container: Path

    def end(self) -> None:
        """See ``Node``."""
        self.container.rmdir()


class TestKernel(CgroupSuite):
    """As root, where this machine lets it make a cgroup with a quota."""

    @pytest.fixture
    def node(self) -> Iterator[Kernel]:
        cgroups = _writable()
        pod = cgroups._root / f"voiceroom-test-{os.getpid()}" / f"pod{UID}"
        container = pod / CONTAINER
        try:
            container.mkdir(parents=True)
        except OSError as error:
            pytest.skip(f"cgroups cannot be made here: {error}")
        try:
            if cgroups.read(str(container.relative_to(cgroups._root))) is None:
                pytest.skip("the controller of CPU time is not given to cgroups here")
            yield Kernel(cgroups, container)
        finally:
            for folder in (container, pod, pod.parent):
                with suppress(FileNotFoundError):
                    folder.rmdir()


def _writable() -> TreeV1 | TreeV2:
    if os.geteuid() != 0:
        pytest.skip("takes root")
    try:
        return mounted(KERNELS)
    except FileNotFoundError as error:
        pytest.skip(str(error))
