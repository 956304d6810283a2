"""What the node says about its clocks: /proc and /sys, of which any file may be missing."""

from __future__ import annotations

import gzip
import platform
import re
from pathlib import Path
from typing import Final

from voiceroom_mixer.core.timing.grade import NodeFacts

_CLOCKSOURCE: Final = "sys/devices/system/clocksource/clocksource0"
_TSC_FLAGS: Final = frozenset(
    {"constant_tsc", "nonstop_tsc", "tsc_reliable", "tsc_known_freq", "rdtscp"}
)
_HZ: Final = re.compile(r"^CONFIG_HZ=(\d+)$", re.MULTILINE)


def read_facts(root: Path = Path("/"), read_ns: float | None = None) -> NodeFacts:
    """The facts for the grade. ``root`` holds ``proc`` and ``sys``; ``read_ns`` was measured."""
    flags = _cpu_flags(root)
    return NodeFacts(
        arch=platform.machine(),
        clocksource=_text(root / _CLOCKSOURCE / "current_clocksource"),
        available=tuple((_text(root / _CLOCKSOURCE / "available_clocksource") or "").split()),
        tsc_flags=flags & _TSC_FLAGS,
        tsc_reliable="tsc=reliable" in (_text(root / "proc/cmdline") or "").split(),
        hz=_hz(root),
        nohz_full=_cpu_list(root / "sys/devices/system/cpu/nohz_full"),
        timer_migration=_flag(root / "proc/sys/kernel/timer_migration"),
        isolated_cpus=_cpu_list(root / "sys/devices/system/cpu/isolated"),
        hypervisor=_hypervisor(root, flags),
        read_ns=read_ns,
    )


def _text(path: Path) -> str | None:
    """The file's text, stripped; None when it is missing, unreadable or empty."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def _cpu_list(path: Path) -> str:
    text = _text(path) or ""
    return "" if text == "(null)" else text  # how some kernels print an empty nohz_full


def _flag(path: Path) -> bool | None:
    text = _text(path)
    return None if text is None else text != "0"


def _cpu_flags(root: Path) -> frozenset[str]:
    for line in (_text(root / "proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def _hypervisor(root: Path, flags: frozenset[str]) -> str | None:
    named = _text(root / "sys/hypervisor/type")
    if named or "hypervisor" not in flags:
        return named
    vendor = _text(root / "sys/class/dmi/id/sys_vendor")
    return vendor or "of unknown make"


def _hz(root: Path) -> int | None:
    """The kernel's tick rate; its configuration is the only place that tells."""
    release = _text(root / "proc/sys/kernel/osrelease") or platform.release()
    try:
        text = gzip.decompress((root / "proc/config.gz").read_bytes()).decode("ascii", "replace")
    except (OSError, EOFError):
        text = _text(root / f"boot/config-{release}") or ""
    found = _HZ.search(text)
    return int(found[1]) if found else None
