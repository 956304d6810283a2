"""A whole cluster: up, and down again without a trace."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcluster import (
    addons,
    build,
    cgroups,
    controlplane,
    images,
    leftovers,
    machine,
    network,
    node,
    paths,
    preconditions,
)
from localcluster import layout as layouts
from localcluster.failure import ClusterError
from localcluster.layout import Layout
from localcluster.processes import Processes

DEFAULT_NAME = "default"
API_PORT = 6443
COMPLETE = "complete"  # a start that failed half way has no such file
PROGRAMS = (*controlplane.PROGRAMS, "kube-scheduler", *node.PROGRAMS, "coredns")
CONTROLLERS = ("*",)


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    layout: Layout

    @property
    def kubeconfig(self) -> Path:
        """The admin's."""
        return self.layout.kubeconfig

    @property
    def processes(self) -> Processes:
        """Its daemons: etcd, kube-*, and for each node containerd-N, kubelet-N, kube-proxy-N."""
        return Processes(self.layout.folder)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as admin. Raises: ClusterError with what kubectl said."""
        return controlplane.kubectl(self.kubeconfig, *arguments, stdin=stdin)

    def load(self, *archives: Path) -> None:
        """Import images into every node."""
        for each in self.layout.nodes:
            node.load(each, archives)

    def start(self, name: str, command: list[str]) -> None:
        """Run something for as long as the cluster is up."""
        self.processes.start(name, command, _daemons(self.layout))


def find(name: str = DEFAULT_NAME) -> Cluster | None:
    """The cluster of that name when it came up whole and its API server runs."""
    layout = layouts.find(name)
    if layout is None or not (layout.folder / COMPLETE).exists():
        return None
    cluster = Cluster(layout)
    try:
        return cluster if cluster.processes.named("kube-apiserver").is_alive() else None
    except KeyError:
        return None


def up(name: str = DEFAULT_NAME) -> Cluster:
    """Start a cluster and wait until its nodes are Ready and names resolve.

    One that is up is left as it is; what a start that failed left behind is removed first.
    Raises: ClusterError.
    """
    preconditions.check()
    build.ensure(PROGRAMS)
    with _alone(name):
        running = find(name)
        if running is not None:
            return running
        _remove(name)
        return _start(layouts.take(name))


def down(name: str = DEFAULT_NAME) -> bool:
    """End a cluster and remove all of it; False when there was none. May be run again and again."""
    with _alone(name):
        return _remove(name)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    lock = paths.state(name).with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start(layout: Layout) -> Cluster:
    say = _Progress()
    layout.folder.mkdir(parents=True, mode=0o700)
    cluster = Cluster(layout)
    machine.prepare()
    network.create(layout)
    for each in layout.nodes:
        cgroups.create(cgroups.find(), each.cgroup)
    cgroups.favour(cgroups.find(), layout.cgroup)
    say("network")
    users = {each.user: "system:nodes" for each in layout.nodes}
    address = controlplane.Address(layout.gateway, API_PORT)
    controlplane.start(
        cluster.processes, address, layout.context, CONTROLLERS, users, _daemons(layout)
    )
    cluster.start("kube-scheduler", controlplane.scheduler_command(layout.folder))
    say("control plane")
    _start_nodes(cluster)
    say("nodes")
    _install_addons(cluster)
    (layout.folder / COMPLETE).touch()
    say("name service")
    return cluster


def _start_nodes(cluster: Cluster) -> None:
    layout, processes, inside = cluster.layout, cluster.processes, _daemons(cluster.layout)
    for each in layout.nodes:
        node.start_containerd(layout, each, processes, inside)
    for each in layout.nodes:
        node.wait_containerd(each, processes)
        node.load(each, [images.archive(images.busybox()), images.archive(images.coredns())])
        node.start_kubelet(layout, each, processes, inside)
        node.start_kube_proxy(layout, each, processes, inside)
    _wait_nodes(cluster)


def _wait_nodes(cluster: Cluster, wait_s: float = 120.0) -> None:
    """A node that has not registered yet cannot be waited for with kubectl."""
    names = {f"node/{each.name}" for each in cluster.layout.nodes}
    deadline = time.monotonic() + wait_s
    while not names <= set(cluster.kubectl("get", "nodes", "-o", "name").split()):
        for each in cluster.layout.nodes:
            cluster.processes.must_live(f"kubelet-{each.number}")
        if time.monotonic() > deadline:
            raise ClusterError(f"the nodes did not register within {wait_s:.0f} s: see their logs.")
        time.sleep(0.2)
    cluster.kubectl("wait", "--for=condition=Ready", "node", "--all", f"--timeout={wait_s:.0f}s")


def _install_addons(cluster: Cluster) -> None:
    manifests = addons.manifests(addons.host_resolv_conf())
    cluster.kubectl("apply", "-f", "-", stdin=manifests)
    rollout = ("rollout", "status", "deployment/coredns", "--timeout=120s")
    cluster.kubectl("-n", "kube-system", *rollout)


def _daemons(layout: Layout) -> Path:
    return cgroups.create_leaf(cgroups.find(), layout.daemons)


def _remove(name: str) -> bool:
    layout = layouts.find(name)
    if layout is None:
        there = paths.state(name).exists()  # the machine was started anew since
        leftovers.remove_folder(paths.state(name))
        return there
    _end_processes(layout)
    where = cgroups.find()
    leftovers.unmount(layout.folder, layout.run_folder)
    cgroups.remove(where, layout.cgroup)
    network.remove(layout)
    leftovers.remove_links(layout.folder)
    leftovers.remove_folder(layout.folder)
    if layouts.taken() == 1:
        machine.restore()
    layouts.give_back(layout)
    return True


def _end_processes(layout: Layout) -> None:
    where, processes = cgroups.find(), Processes(layout.folder)
    # Kubelets first, so that nobody starts containers again; then the containers, because an API
    # server waits for those that watch it.
    processes.stop(*(s.name for s in processes.all() if s.name not in controlplane.PROGRAMS))
    for each in layout.nodes:
        cgroups.kill(where, each.cgroup)
    processes.stop_all()
    cgroups.kill(where, layout.cgroup)


class _Progress:
    """Says what each step took."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def __call__(self, what: str) -> None:
        now = time.monotonic()
        print(f"== {what} ({now - self._begin:.0f} s)", flush=True)
        self._begin = now
