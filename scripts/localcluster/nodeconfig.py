"""Configuration files of a node: containerd, CNI, kubelet and kube-proxy."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import yaml

from localcluster import layout
from localcluster.realtime import HANDLER

CLUSTER_DNS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
CNI_PLUGINS = Path("/usr/lib/cni")

_CONTAINERD = """\
version = 2
root = "{root}"
state = "{state}"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  # A container of ours may not be more dear to the kernel than this daemon itself is.
  restrict_oom_score_adj = true
  sandbox_image = "{sandbox}"
  # Namespaces of pods stay in our own folder, where `down` finds them.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_plugins}"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{runc}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}.options]
        BinaryName = "{handler_program}"
        Root = "{runc}"
"""


def containerd(node: layout.Node, sandbox_image: str, handler_program: Path) -> str:
    """containerd's TOML: everything in folders of the node, and the handler for real time."""
    return _CONTAINERD.format(
        root=node.folder / "containerd",
        state=node.run_folder / "containerd",
        socket=node.socket,
        runc=node.run_folder / "runc",
        sandbox=sandbox_image,
        cni_plugins=CNI_PLUGINS,
        cni=node.folder / "cni",
        snapshotter="native" if is_overlay(node.folder) else "overlayfs",
        handler=HANDLER,
        handler_program=handler_program,
    )


def is_overlay(folder: Path, mountinfo: str | None = None) -> bool:
    """Whether the folder is on an overlay itself, as in a container: overlays do not stack."""
    text = Path("/proc/self/mountinfo").read_text() if mountinfo is None else mountinfo
    best, kind = "", ""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        where = before.split()[4]
        if folder.is_relative_to(where) and len(where) >= len(best):
            best, kind = where, after.split()[0]
    return kind == "overlay"


def cni(node: layout.Node) -> str:
    """A bridge for the pods, and host ports.

    No masquerade: pods of different nodes see each other's own addresses.
    """
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(node.folder / "cni-addresses"),
            "ranges": [[{"subnet": node.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    network = {"cniVersion": "1.0.0", "name": node.namespace, "plugins": [bridge, ports]}
    return json.dumps(network, indent=1)


def kubelet(node: layout.Node, authority: str) -> str:
    """The kubelet's settings; `authority` signs the API server's client certificate."""
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": authority},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": ["pods"],
        "podLogsDir": str(node.folder / "logs"),
        "nodeStatusUpdateFrequency": "4s",
        # New content of a Secret is in its pods after this, where a minute is usual.
        "syncFrequency": "10s",
        "clusterDNS": [CLUSTER_DNS],
        "clusterDomain": CLUSTER_DOMAIN,
        "failSwapOn": False,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
        # The programs are static: there is no plugin to look for, and /usr stays untouched.
        "volumePluginDir": str(node.folder / "volume-plugins"),
    }
    return yaml.safe_dump(settings | _cpu_manager(node), sort_keys=False)


def _cpu_manager(node: layout.Node) -> dict[str, object]:
    return cpu_manager(node.number, sorted(os.sched_getaffinity(0)))


def cpu_manager(number: int, cpus: Sequence[int]) -> dict[str, object]:
    """The static CPU manager of node `number` (1 or 2) on a machine with these CPUs.

    Both nodes have all CPUs; each reserves what the other may deal out, so that no CPU is
    exclusive twice. With one CPU none can be exclusive.
    """
    if len(cpus) < layout.NODES_PER_CLUSTER:
        return {"cpuManagerPolicy": "none"}
    half = len(cpus) // 2
    static: dict[str, object] = {"cpuManagerPolicy": "static"}
    if number == 1 and half == 1 and cpus[0] == 0:
        # A part of a CPU keeps the lowest one from being exclusive as well, and leaves the rest of
        # it for pods to ask for: naming it would take all of one of the very few that there are.
        return static | {"kubeReserved": {"cpu": "100m"}}
    reserved = cpus[:half] if number == 1 else cpus[half:]
    return static | {"reservedSystemCPUs": ",".join(str(cpu) for cpu in reserved)}


def kube_proxy(node: layout.Node, kubeconfig: Path) -> str:
    """kube-proxy in iptables mode; the machine's connection-tracking limits are left alone."""
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "hostnameOverride": node.name,
        "clusterCIDR": layout.POD_RANGE,
        "conntrack": {"maxPerCore": 0},
    }
    return yaml.safe_dump(settings, sort_keys=False)
