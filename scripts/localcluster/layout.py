"""Names and addresses of one cluster, all of them derived from its slot.

A machine has 16 slots, so that a test's cluster may run beside a person's. A slot is taken by
making `/run/voiceroom-SLOT`, which only one can do, and given back by removing it, which is the
last thing that `down` does.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from localcluster import paths
from localcluster.failure import ClusterError

SLOTS = range(16)
RUN = Path("/run")
OWNER = "owner"
NODES_PER_CLUSTER = 2
POD_RANGE = "10.201.0.0/16"


@dataclass(frozen=True)
class Node:
    """One node: a network namespace with a containerd, a kubelet and a kube-proxy of its own."""

    slot: int
    number: int
    cluster_folder: Path

    @property
    def name(self) -> str:
        """The Kubernetes name, `node-1`."""
        return f"node-{self.number}"

    @property
    def namespace(self) -> str:
        """The network namespace."""
        return f"voiceroom-{self.slot}-{self.name}"

    @property
    def address(self) -> str:
        """Where this machine reaches the node, its host ports included."""
        return f"10.200.{self.slot}.{10 + self.number}"

    @property
    def pods(self) -> str:
        """The subnet of its pods."""
        return f"10.201.{self.slot * 16 + self.number}.0/24"

    @property
    def host_link(self) -> str:
        """This machine's end of the node's cable (15 characters at most)."""
        return f"vr{self.slot}n{self.number}"

    @property
    def folder(self) -> Path:
        """Images, containers, kubelet state."""
        return self.cluster_folder / self.name

    @property
    def run_folder(self) -> Path:
        """containerd's state and socket: short, as a socket's path has 107 bytes at most."""
        return RUN / f"voiceroom-{self.slot}" / self.name

    @property
    def socket(self) -> Path:
        """containerd's."""
        return self.run_folder / "containerd.sock"

    @property
    def cgroup(self) -> str:
        """The root of its pods' cgroups, relative to the hierarchy's root."""
        return f"voiceroom-{self.slot}/{self.name}"

    @property
    def user(self) -> str:
        """How its kubelet calls itself."""
        return f"system:node:{self.name}"


@dataclass(frozen=True)
class Layout:
    """One cluster: `name` is the user's, `slot` this machine's."""

    name: str
    slot: int

    @property
    def folder(self) -> Path:
        """State, logs, kubeconfigs."""
        return paths.state(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The admin's."""
        return self.folder / "admin.kubeconfig"

    @property
    def context(self) -> str:
        """The kubeconfig's context."""
        return f"voiceroom-{self.name}"

    @property
    def bridge(self) -> str:
        """Joins the nodes and this machine."""
        return f"vr{self.slot}"

    @property
    def gateway(self) -> str:
        """This machine on the bridge: the API server's address."""
        return f"10.200.{self.slot}.1"

    @property
    def node_range(self) -> str:
        """The subnet of the nodes."""
        return f"10.200.{self.slot}.0/24"

    @property
    def run_folder(self) -> Path:
        """Marks the slot as taken."""
        return RUN / f"voiceroom-{self.slot}"

    @property
    def cgroup(self) -> str:
        """Everything of this cluster is below it."""
        return f"voiceroom-{self.slot}"

    @property
    def daemons(self) -> str:
        """The cgroup of the cluster's own processes, containers' shims included."""
        return f"{self.cgroup}/daemons"

    @property
    def chain(self) -> str:
        """Our chain in the tables `filter` and `nat` of this machine."""
        return f"VOICEROOM-{self.slot}"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its nodes."""
        numbers = range(1, NODES_PER_CLUSTER + 1)
        return tuple(Node(self.slot, number, self.folder) for number in numbers)


def find(name: str) -> Layout | None:
    """The cluster of that name, or what a start that failed has left of it."""
    for slot in SLOTS:
        layout = Layout(name, slot)
        owner = layout.run_folder / OWNER
        if owner.exists() and owner.read_text() == str(layout.folder):
            return layout
    return None


def take(name: str) -> Layout:
    """Take a free slot for a new cluster. Raises: ClusterError when all are taken."""
    for slot in SLOTS:
        layout = Layout(name, slot)
        try:
            layout.run_folder.mkdir()
        except FileExistsError:
            continue
        (layout.run_folder / OWNER).write_text(str(layout.folder))
        return layout
    raise ClusterError(f"all {len(SLOTS)} cluster slots are taken: see /run/voiceroom-*/owner.")


def give_back(layout: Layout) -> None:
    """Free the slot. Whoever comes next may have it at once."""
    # The owner goes last: until then a `down` that was interrupted can be run again.
    for entry in layout.run_folder.iterdir():
        if entry.name != OWNER:
            shutil.rmtree(entry)
    os.unlink(layout.run_folder / OWNER)
    layout.run_folder.rmdir()


def taken() -> int:
    """How many slots are taken."""
    return len(list(RUN.glob(f"voiceroom-[0-9]*/{OWNER}")))


def names() -> list[str]:
    """The clusters of this user, whole or not."""
    owners = [file.read_text() for file in sorted(RUN.glob(f"voiceroom-[0-9]*/{OWNER}"))]
    return [Path(owner).name for owner in owners if owner == str(paths.state(Path(owner).name))]
