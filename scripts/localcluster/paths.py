"""Where things live: binaries in the user's cache, a running cluster in the user's state folder."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
GO_MODULES = Path(__file__).resolve().parent / "go"


def cache() -> Path:
    """`$XDG_CACHE_HOME/voiceroom`, or `~/.cache/voiceroom`."""
    return _base("XDG_CACHE_HOME", ".cache")


def state(name: str) -> Path:
    """The folder of the cluster called `name`: `$XDG_STATE_HOME/voiceroom/cluster/NAME`."""
    return _base("XDG_STATE_HOME", ".local/state") / "cluster" / name


def _base(variable: str, fallback: str) -> Path:
    # The XDG specification: a relative path in the variable counts as none.
    named = Path(os.environ.get(variable, ""))
    return (named if named.is_absolute() else Path.home() / fallback) / "voiceroom"
