"""Real time on the nodes: what may be granted, and how a node is made to miss its deadlines.

On cgroup version 1 with CONFIG_RT_GROUP_SCHED a container has no real-time budget unless each
cgroup from the root down to it has one (cpu.rt_runtime_us, sched-rt-group.rst). The runtime handler
`real-time` gives it while the container is made; other handlers do not, so that pods of both kinds
are at hand. Where the kernel has no such budgets nothing is written.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from localcluster import cgroups
from localcluster.failure import ClusterError
from localcluster.layout import NODES_PER_CLUSTER, Layout, Node

HANDLER = "real-time"
RUNTIME_FILE = "cpu.rt_runtime_us"
SHARE_US = 100_000  # of each second and on each CPU, for one container
_CONTAINERS_PER_NODE = 2
# All cgroups together have 950 000: enough for two clusters side by side.
_NODE_SHARE_US = SHARE_US * _CONTAINERS_PER_NODE
_CLUSTER_SHARE_US = _NODE_SHARE_US * NODES_PER_CLUSTER
STALL_QUOTA_US = 5_000
_HOLD_S = 0.1

# containerd calls this in place of runc. $1.. are runc's own arguments; the container exists after
# `create` and runs after `start`, so the budget is there before its first instruction.
_HANDLER_SCRIPT = """\
#!/bin/sh
runc "$@" || exit $?
bundle= pidfile= create=
while [ $# -gt 0 ]; do
    case $1 in
        create) create=yes ;;
        --bundle) bundle=$2 ;;
        --pid-file) pidfile=$2 ;;
    esac
    shift
done
[ -n "$create" ] && [ -f "$pidfile" ] || exit 0
grep -q '"io.kubernetes.cri.container-type":"sandbox"' "$bundle/config.json" && exit 0
share=$(cat @SHARE@) && [ "$share" -gt 0 ] || exit 0
path=$(sed -n 's/^[0-9]*:\\([^:]*,\\)*cpu\\(,[^:]*\\)*://p' "/proc/$(cat "$pidfile")/cgroup")
below=${path#/@CGROUP@/kubepods}
at=@ROOT@/@CGROUP@/kubepods
exec 9< @SHARE@ && flock 9  # one at a time, or the next would take this one's share for unused
echo $((share * @CONTAINERS@)) > "$at/cpu.rt_runtime_us"
# A pod that has ended keeps its share until the kubelet removes its cgroup, seconds later: take it
# from every pod in which nothing that has one runs. (Its sandbox has none.)
for pod in "$at"/pod*; do
    alive=
    for container in "$pod"/*/; do
        [ "$(cat "$container/cpu.rt_runtime_us")" -gt 0 ] || continue
        if grep -q . "$container/cgroup.procs"; then alive=yes
        else echo 0 > "$container/cpu.rt_runtime_us"; fi
    done
    [ -n "$alive" ] || echo 0 > "$pod/cpu.rt_runtime_us"
done 2>/dev/null
IFS=/
for part in $below; do
    [ -n "$part" ] || continue
    at=$at/$part
    echo "$share" > "$at/cpu.rt_runtime_us"
done 2>/dev/null
exit 0
"""


def prepare(layout: Layout, node: Node) -> Path:
    """Write the handler of one node, set its budget, and return the handler's path."""
    where = cgroups.find()
    script = node.folder / "runc-real-time"
    script.write_text(
        _HANDLER_SCRIPT.replace("@SHARE@", str(_share_file(node)))
        .replace("@CGROUP@", node.cgroup)
        .replace("@ROOT@", str(where.root("cpu")))
        .replace("@CONTAINERS@", str(_CONTAINERS_PER_NODE))
    )
    script.chmod(0o755)
    set_share(node, SHARE_US if _has_taken_budget(where, layout, node) else 0)
    return script


def _has_taken_budget(where: cgroups.Hierarchies, layout: Layout, node: Node) -> bool:
    if not has_budgets(where):
        return False
    cpu = where.root("cpu")
    try:
        _write(cpu / layout.cgroup, _CLUSTER_SHARE_US)
        _write(cpu / node.cgroup, _NODE_SHARE_US)
    except ClusterError as error:
        print(f"== {node.name} grants no real time: others have taken it ({error})", flush=True)
        return False
    return True


def has_budgets(where: cgroups.Hierarchies) -> bool:
    """Whether this kernel refuses SCHED_FIFO to a cgroup without a budget."""
    return where.is_v1 and (where.root("cpu") / RUNTIME_FILE).exists()


def set_share(node: Node, share_us: int) -> None:
    """What the handler gives to containers made from now on; 0 refuses real time to all.

    Raises: ValueError when it is more than the node has for one container.
    """
    if not 0 <= share_us <= SHARE_US:
        raise ValueError(f"share_us is {share_us}: must be 0..{SHARE_US}")
    _share_file(node).write_text(f"{share_us}\n")


def share(node: Node) -> int:
    """What the handler gives now, in microseconds of each second."""
    return int(_share_file(node).read_text())


def _share_file(node: Node) -> Path:
    return node.folder / "rt-share-us"


def container_cgroups(node: Node, pod_uid: str) -> list[Path]:
    """The cgroups of a pod's containers, its sandbox among them, in the hierarchy of `cpu`."""
    pods = cgroups.find().root("cpu") / node.cgroup / "kubepods"
    return [path for pod in pods.rglob(f"pod{pod_uid}") for path in pod.iterdir() if path.is_dir()]


def grant(node: Node, container: Path, share_us: int = SHARE_US) -> None:
    """Give a running container a real-time budget, and each cgroup above it.

    Raises: ClusterError where the kernel has none to give.
    """
    where = cgroups.find()
    if not has_budgets(where):
        raise ClusterError("this kernel has no real-time budgets per cgroup (RT_GROUP_SCHED, v1).")
    at = where.root("cpu") / node.cgroup
    for part in container.relative_to(at).parts:
        at = at / part
        least = _NODE_SHARE_US if part == "kubepods" else share_us
        _write(at, max(least, int((at / RUNTIME_FILE).read_text())))


def revoke(container: Path) -> None:
    """Take the budget of a container away; the kernel refuses while FIFO threads run in it."""
    _write(container, 0)


@contextlib.contextmanager
def stalled(node: Node, quota_us: int = STALL_QUOTA_US) -> Iterator[None]:
    """Starve every pod of a node for the time of the block.

    `quota_us` of each 100 ms are left: 5000 stop it for 95 ms at a time. The pods' own cpu.stat
    shows no throttling, only their run delay does. The node's kubelet goes on. Version 1 refuses a
    quota below those of the pods (sched-bwc.rst): there theirs are lifted meanwhile, and no pod
    with one can start.
    """
    where = cgroups.find()
    folder = where.root("cpu") / node.cgroup
    with _lifted_quotas(folder) if where.is_v1 else contextlib.nullcontext():
        name = "cpu.cfs_quota_us" if where.is_v1 else "cpu.max"
        (folder / name).write_text(str(quota_us) if where.is_v1 else f"{quota_us} 100000")
        try:
            yield
        finally:
            (folder / name).write_text("-1" if where.is_v1 else "max 100000")


@contextlib.contextmanager
def throttled(container: Path, quota_us: int = STALL_QUOTA_US) -> Iterator[None]:
    """Leave one container `quota_us` of each 100 ms for the time of the block: its own cpu.stat
    shows it, and nobody else notices.

    A kubelet with a static CPU manager has all resources of a container written anew some seconds
    after its start: what it has put back meanwhile is taken again.
    """
    file = container / ("cpu.cfs_quota_us" if cgroups.find().is_v1 else "cpu.max")
    before, over = file.read_text(), threading.Event()
    word = f"{quota_us}" if file.name == "cpu.cfs_quota_us" else f"{quota_us} 100000"
    file.write_text(word)
    holder = threading.Thread(target=_hold, args=(file, before, word, over), name="quota")
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()
        with contextlib.suppress(FileNotFoundError):  # the pod was replaced
            file.write_text(before)


def _hold(file: Path, before: str, word: str, over: threading.Event) -> None:
    while not over.wait(_HOLD_S):
        with contextlib.suppress(OSError):  # the pod is gone
            if file.read_text() == before:
                file.write_text(word)


@contextlib.contextmanager
def _lifted_quotas(folder: Path) -> Iterator[None]:
    files = list(folder.rglob("cpu.cfs_quota_us"))
    quotas = {file: file.read_text().strip() for file in files}
    limited = {file: quota for file, quota in quotas.items() if quota != "-1"}
    for file in limited:
        file.write_text("-1")
    try:
        yield
    finally:
        # A parent's first: a child may not have more than it.
        for file in sorted(limited, key=lambda file: len(file.parts)):
            if file.exists():
                file.write_text(limited[file])


def _write(cgroup: Path, share_us: int) -> None:
    try:
        (cgroup / RUNTIME_FILE).write_text(str(share_us))
    except OSError as error:
        raise ClusterError(f"{cgroup / RUNTIME_FILE} = {share_us}: {error.strerror}.") from error
