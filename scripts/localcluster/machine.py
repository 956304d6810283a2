"""What a cluster changes outside its own folders, and how that is put back."""

from __future__ import annotations

import json
from pathlib import Path

from localcluster import layout, leftovers

SAVED = layout.RUN / "voiceroom-machine.json"
PROC = Path("/proc/sys")

# The first is ours; the kubelet sets the others for the whole machine (--protect-kernel-defaults).
SETTINGS = (
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)

# Folders that containerd, runc, CNI and the kubelet use whatever they are told: the paths are
# compiled in. What was not there before the first cluster goes with the last one.
FOLDERS = (
    Path("/run/containerd"),
    Path("/var/lib/cni"),
    Path("/var/lib/kubelet"),
    Path("/var/log/containers"),
    Path("/var/log/pods"),
)


def prepare() -> None:
    """Remember how things are, unless another cluster has changed them already; then forward."""
    if not SAVED.exists():
        settings = {name: _read(name) for name in SETTINGS}
        absent = [str(folder) for folder in FOLDERS if not folder.exists()]
        SAVED.write_text(json.dumps({"settings": settings, "absent": absent}))
    (PROC / "net/ipv4/ip_forward").write_text("1")


def restore() -> None:
    """Put everything back as it was before the first cluster."""
    if not SAVED.exists():
        return
    saved = json.loads(SAVED.read_text())
    for name, value in saved["settings"].items():
        if value is not None and _read(name) != value:
            (PROC / name).write_text(value)
    for folder in saved["absent"]:
        leftovers.unmount(Path(folder))
        leftovers.remove_folder(Path(folder))
    SAVED.unlink()


def _read(name: str) -> str | None:
    file = PROC / name
    return file.read_text().strip() if file.exists() else None
