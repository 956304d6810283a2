"""One node: containerd, kubelet and kube-proxy in a network namespace of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from localcluster import build, cgroups, controlplane, images, network, nodeconfig, realtime
from localcluster.failure import ClusterError
from localcluster.layout import Layout, Node
from localcluster.processes import Processes
from localcluster.shell import attempt, run

SOCKET_WAIT_S = 30.0
PROGRAMS = ("kubelet", "kube-proxy")


def start_containerd(layout: Layout, node: Node, processes: Processes, inside: Path) -> None:
    """Write the node's files, make its cgroup, start its containerd."""
    for folder in ("cni", "logs"):
        (node.folder / folder).mkdir(parents=True, exist_ok=True)
    node.run_folder.mkdir(parents=True, exist_ok=True)
    cgroups.create(cgroups.find(), node.cgroup)
    handler = realtime.prepare(layout, node)
    config = node.folder / "containerd.toml"
    config.write_text(nodeconfig.containerd(node, images.busybox().name, handler))
    (node.folder / "cni" / "10-pods.conflist").write_text(nodeconfig.cni(node))
    command = [*network.enter(node), "containerd", "--config", str(config)]
    processes.start(f"containerd-{node.number}", command, inside)


def wait_containerd(node: Node, processes: Processes) -> None:
    """Until it answers. Raises: ClusterError with its last words when it does not."""
    deadline = time.monotonic() + SOCKET_WAIT_S
    while not attempt(*_ctr(node), "version"):
        processes.must_live(f"containerd-{node.number}")
        if time.monotonic() > deadline:
            words = processes.last_words(f"containerd-{node.number}")
            raise ClusterError(f"containerd of {node.name} does not answer:\n{words}")
        time.sleep(0.1)


def load(node: Node, archives: Sequence[Path]) -> None:
    """Import images from docker-archive files."""
    for archive in archives:
        run(*_ctr(node), "-n", "k8s.io", "images", "import", str(archive))


def start_kubelet(layout: Layout, node: Node, processes: Processes, inside: Path) -> None:
    """Start the kubelet; it registers the node by itself."""
    config = node.folder / "kubelet.yaml"
    config.write_text(nodeconfig.kubelet(node, str(layout.folder / "pki" / "ca.crt")))
    command = [
        *network.enter(node),
        str(build.program("kubelet")),
        f"--kubeconfig={controlplane.user_file(layout.folder, node.user)}",
        f"--config={config}",
        f"--root-dir={node.folder / 'kubelet'}",
        f"--cert-dir={node.folder / 'pki'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        f"--node-labels=voiceroom.dev/cluster={layout.name}",
    ]
    processes.start(f"kubelet-{node.number}", command, inside)


def start_kube_proxy(layout: Layout, node: Node, processes: Processes, inside: Path) -> None:
    """Start kube-proxy."""
    kubeconfig = controlplane.user_file(layout.folder, "system:kube-proxy")
    config = node.folder / "kube-proxy.yaml"
    config.write_text(nodeconfig.kube_proxy(node, kubeconfig))
    command = [*network.enter(node), str(build.program("kube-proxy")), f"--config={config}"]
    processes.start(f"kube-proxy-{node.number}", command, inside)


def _ctr(node: Node) -> tuple[str, ...]:
    return ("ctr", "--address", str(node.socket))
