"""What a cluster leaves on the machine when it ends: nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.kubepods import Wanted
from localcluster import cluster, layout, machine, paths, preconditions
from localcluster.cluster import Cluster
from localcluster.failure import ClusterError

pytestmark = pytest.mark.timeout(240)
NAME = f"traces-{os.getpid()}"


@pytest.fixture(autouse=True)
def _possible() -> Iterator[None]:
    if reason := preconditions.reason():
        pytest.skip(reason)
    yield
    cluster.down(NAME)


def lines(*command: str) -> set[str]:
    return set(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    )


def traces(slot: int) -> set[str]:
    """Everything on the machine that bears a mark of the cluster in that slot."""
    mine = Cluster(layout.Layout(NAME, slot)).layout
    marks = (f"voiceroom-{slot}", f"vr{slot}", mine.chain, str(mine.folder), f"10.200.{slot}.")
    found = {f"process {pid}: {words}" for pid, words in processes()}
    found |= {f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    found |= {f"namespace {name}" for name in os.listdir("/run/netns")}
    found |= {f"link {line}" for line in lines("ip", "-br", "link")}
    found |= {f"route {line}" for line in lines("ip", "route")}
    found |= {f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob("**/voiceroom-*")}
    for table in ("filter", "nat"):
        found |= {f"rule {line}" for line in lines("iptables", "-w", "-t", table, "-S")}
    found |= {
        f"file {path}" for folder in ("/run", "/run/netns") for path in Path(folder).iterdir()
    }
    found |= {f"file {path}" for path in (paths.state(NAME), *Path("/var/lib/cni").glob("*/*"))}
    return {line for line in found if any(mark in line for mark in marks) and is_there(line)}


def is_there(line: str) -> bool:
    kind, _, rest = line.partition(" ")
    return kind != "file" or Path(rest).exists()


def processes() -> Iterator[tuple[int, str]]:
    """Each process with its command line and cgroups (zombies have neither)."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
            yield int(folder.name), command + (folder / "cgroup").read_text() if command else ""
        except (FileNotFoundError, ProcessLookupError):
            continue


def settings() -> dict[str, str]:
    return {name: (machine.PROC / name).read_text() for name in machine.SETTINGS}


def folders() -> set[Path]:
    return {folder for folder in machine.FOLDERS if folder.exists()}


def test_nothing_is_left_of_a_cluster_with_pods() -> None:
    alone = layout.taken() == 0
    before = settings(), folders()
    running = cluster.up(NAME)
    slot = running.layout.slot
    for node in ("node-1", "node-2"):
        wanted = Wanted(f"pod-{node}", node, runtime_class="real-time")
        running.kubectl("create", "-f", "-", stdin=wanted.manifest())
    running.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    while_up = traces(slot)
    assert {line.split()[0] for line in while_up} == {
        "process", "mount", "namespace", "link", "route", "cgroup", "rule", "file"
    }  # fmt: skip

    assert cluster.down(NAME)

    assert traces(slot) == set()
    if alone:  # another cluster keeps what both need
        assert (settings(), folders()) == before
    assert not cluster.down(NAME)


def test_nothing_is_left_of_one_that_failed_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Cluster) -> None:
        raise ClusterError("no name service today")

    monkeypatch.setattr(cluster, "_install_addons", refuse)
    with pytest.raises(ClusterError, match="no name service today"):
        cluster.up(NAME)
    left = layout.find(NAME)
    assert left is not None
    assert traces(left.slot)

    assert cluster.down(NAME)

    assert traces(left.slot) == set()


def test_one_that_failed_is_replaced_by_the_next_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Cluster) -> None:
        raise ClusterError("no nodes today")

    with monkeypatch.context() as patched:
        patched.setattr(cluster, "_start_nodes", refuse)
        with pytest.raises(ClusterError, match="no nodes today"):
            cluster.up(NAME)
    running = cluster.up(NAME)
    assert running.kubectl("get", "nodes", "-o", "name").split() == ["node/node-1", "node/node-2"]
    assert cluster.up(NAME) == running  # and a second start leaves it as it is
