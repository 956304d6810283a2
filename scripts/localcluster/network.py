"""The network of one cluster: a bridge, a namespace for each node, routes and our own chains."""

from __future__ import annotations

from pathlib import Path

from localcluster.layout import Layout, Node
from localcluster.shell import attempt, run

NAMESPACES = Path("/run/netns")
CNI_RESULTS = Path("/var/lib/cni/results")
_HOOKS = {"filter": "FORWARD", "nat": "POSTROUTING"}


def create(layout: Layout) -> None:
    """Bridge, namespaces, routes, and rules that let the nodes reach each other and outside."""
    run("ip", "link", "add", layout.bridge, "type", "bridge")
    run("ip", "address", "add", f"{layout.gateway}/24", "dev", layout.bridge)
    run("ip", "link", "set", layout.bridge, "up")
    for node in layout.nodes:
        _connect(layout, node)
    _create_rules(layout)


def _connect(layout: Layout, node: Node) -> None:
    inside = ("ip", "-n", node.namespace)
    run("ip", "netns", "add", node.namespace)
    peer = ("peer", "name", "eth0", "netns", node.namespace)
    run("ip", "link", "add", node.host_link, "type", "veth", *peer)
    run("ip", "link", "set", node.host_link, "master", layout.bridge, "up")
    run(*inside, "address", "add", f"{node.address}/24", "dev", "eth0")
    run(*inside, "link", "set", "eth0", "up")
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "route", "add", "default", "via", layout.gateway)
    # route_localnet: a host port on 127.0.0.1 of the node reaches its pod.
    settings = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.route_localnet=1")
    run(*enter(node), "sysctl", "-qw", *settings)
    run("ip", "route", "add", node.pods, "via", node.address)


def enter(node: Node) -> tuple[str, ...]:
    """Goes before a command that shall run in the node.

    Not `ip netns exec`: that mounts a fresh /sys, in which the kubelet finds no cgroups.
    """
    return ("nsenter", f"--net={NAMESPACES / node.namespace}")


def _create_rules(layout: Layout) -> None:
    """Pods keep their addresses inside the cluster and get this machine's on the way out."""
    for table, hook in _HOOKS.items():
        run("iptables", "-w", "-t", table, "-N", layout.chain)
        run("iptables", "-w", "-t", table, "-I", hook, "-j", layout.chain)
    # A machine with Docker drops what is forwarded unless somebody accepts it.
    for side in ("-i", "-o"):
        run("iptables", "-w", "-A", layout.chain, side, layout.bridge, "-j", "ACCEPT")
    for source in (layout.node_range, *(node.pods for node in layout.nodes)):
        outside = ("-s", source, "!", "-o", layout.bridge, "-j", "MASQUERADE")
        run("iptables", "-w", "-t", "nat", "-A", layout.chain, *outside)


def remove(layout: Layout) -> None:
    """Take away whatever of it there is."""
    for table, hook in _HOOKS.items():
        attempt("iptables", "-w", "-t", table, "-D", hook, "-j", layout.chain)
        attempt("iptables", "-w", "-t", table, "-F", layout.chain)
        attempt("iptables", "-w", "-t", table, "-X", layout.chain)
    for node in layout.nodes:
        attempt("ip", "link", "delete", node.host_link)
        attempt("ip", "netns", "delete", node.namespace)
        _remove_results(node)
    attempt("ip", "link", "delete", layout.bridge)  # the routes go with it


def _remove_results(node: Node) -> None:
    """CNI keeps what it answered for each pod; pods that were killed leave theirs."""
    for file in CNI_RESULTS.glob(f"{node.namespace}-*"):
        file.unlink()
