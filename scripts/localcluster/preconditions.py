"""Whether this machine can run a cluster, said in one sentence when it cannot."""

from __future__ import annotations

import os
import shutil
import sys

from localcluster import cgroups
from localcluster.failure import Unsupported
from localcluster.nodeconfig import CNI_PLUGINS
from localcluster.shell import attempt

PROGRAMS = (
    "busybox",
    "conntrack",
    "containerd",
    "ctr",
    "ethtool",
    "flock",
    "ip",
    "iptables",
    "nsenter",
    "runc",
    "setpriv",
    "socat",
    "sysctl",
)
_PROBE = "vrprobe"


def reason() -> str | None:
    """Why there can be no cluster here, or None. Tests skip with it."""
    try:
        check()
    except Unsupported as error:
        return str(error)
    return None


def check() -> None:
    """Raises: Unsupported, naming what is missing."""
    if sys.platform != "linux":
        raise Unsupported(f"a cluster needs Linux, and this is {sys.platform}: use kind instead.")
    if os.geteuid() != 0:
        raise Unsupported("a cluster with nodes needs root: run it as root, or use kind instead.")
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if not (CNI_PLUGINS / "bridge").exists():
        missing.append(f"the CNI plugins in {CNI_PLUGINS}")
    if missing:
        raise Unsupported(f"missing: {', '.join(missing)}. Run `scripts/setup cluster`.")
    if controllers := cgroups.find().missing():
        raise Unsupported(f"the kernel has no cgroup controller for {', '.join(controllers)}.")
    _check_kernel()


def _check_kernel() -> None:
    """Ask the kernel for one of each: what a node needs is often a module that is not there."""
    try:
        if not attempt("ip", "link", "add", _PROBE, "type", "bridge"):
            raise Unsupported("the kernel makes no network bridge (CONFIG_BRIDGE, CAP_NET_ADMIN).")
        if not attempt("ip", "netns", "add", _PROBE):
            raise Unsupported("the kernel makes no network namespace (CAP_SYS_ADMIN).")
        pair = ("type", "veth", "peer", "name", "eth0", "netns", _PROBE)
        if not attempt("ip", "link", "add", f"{_PROBE}0", *pair):
            raise Unsupported("the kernel makes no veth pair (CONFIG_VETH).")
        if not attempt("iptables", "-w", "-t", "nat", "-S"):
            raise Unsupported("iptables has no table nat (nf_nat, nf_tables).")
    finally:
        attempt("ip", "netns", "delete", _PROBE)
        attempt("ip", "link", "delete", _PROBE)
