"""Short commands of the system, run to their end."""

from __future__ import annotations

import shutil
import subprocess

from localcluster.failure import ClusterError


def run(*command: str, stdin: str | None = None) -> str:
    """Run a command and return what it printed. Raises: ClusterError with what it complained."""
    if shutil.which(command[0]) is None:
        raise ClusterError(f"the program {command[0]} is missing: run `scripts/setup cluster`.")
    done = subprocess.run(command, capture_output=True, text=True, input=stdin)
    if done.returncode != 0:
        raise ClusterError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout


def attempt(*command: str) -> bool:
    """Run a command that may fail, such as the removal of what may be gone; whether it did well."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True).returncode == 0
