"""Datagrams between two ports of this machine that do not arrive, while all others do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


def can_cut() -> bool:
    """Whether this machine lets us."""
    tool = shutil.which("iptables")
    if tool is None or os.geteuid() != 0:
        return False
    return (
        subprocess.run([tool, "-w", "-S", "INPUT"], capture_output=True, check=False).returncode
        == 0
    )


@contextmanager
def cut(one: int, other: int) -> Iterator[None]:
    """Neither way; who sends is told nothing, as in a network."""
    rules = [
        ["INPUT", "-i", "lo", "-p", "udp", "--sport", str(a), "--dport", str(b), "-j", "DROP"]
        for a, b in ((one, other), (other, one))
    ]
    made = []
    try:
        for rule in rules:
            subprocess.run(["iptables", "-w", "-I", *rule], check=True)
            made.append(rule)
        yield
    finally:
        for rule in made:
            subprocess.run(["iptables", "-w", "-D", *rule], check=True)
