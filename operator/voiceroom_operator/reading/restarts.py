"""How often containers of a pod began anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def restarts(body: Mapping[str, Any]) -> int:
    """Of a Pod, by its kubelet."""
    found = (body.get("status") or {}).get("containerStatuses") or ()
    return sum(int(container.get("restartCount") or 0) for container in found)
