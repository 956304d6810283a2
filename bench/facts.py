"""What this machine is: stands above the table."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CLOCKSOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


def _cpu_model(text: str) -> str:
    for line in text.splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        return platform.system()


def _release(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine_facts() -> dict[str, str]:
    """Label and value, in the order of the report."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    hypervisor = " hypervisor" in Path("/proc/cpuinfo").read_text()
    return {
        "CPU": f"{os.cpu_count()} x {_cpu_model(Path('/proc/cpuinfo').read_text())}"
        + (", virtual" if hypervisor else ""),
        "memory": f"{memory:.0f} GiB",
        "system": f"{_distribution()}, Linux {platform.release()}",
        "clocksource": _CLOCKSOURCE.read_text().strip() if _CLOCKSOURCE.exists() else "unknown",
        "Python": platform.python_version(),
        "voiceroom": _release("voiceroom"),
        "numpy": _release("numpy"),
    }
