"""``move``: ask the operator to take a room elsewhere, and wait for the answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any, Final

from voiceroom_api import names
from voiceroom_kubectl.cluster import Cluster, Object
from voiceroom_kubectl.watch import Watch

ENDS: Final = frozenset({"Done", "Refused", "Failed"})
_LOOK_S: Final = 0.5


def ask(
    cluster: Cluster,
    namespace: str,
    room: str,
    to: str,
    why: str,
    made: Callable[[], str] = lambda: secrets.token_hex(4),
) -> str:
    """Set the annotation; the id of the request. Raises ``NotFound``."""
    said = {"id": made()} | ({"to": to} if to else {}) | {"why": why}
    patch = {"metadata": {"annotations": {names.MOVE_ANNOTATION: json.dumps(said)}}}
    cluster.patch_room(namespace, room, patch)
    return said["id"]


def answer(room: Object, request: str) -> dict[str, Any]:
    """What the operator says of that request; empty = nothing yet."""
    found = room.get("status", {}).get("moves", {}).get("request", {})
    return dict(found) if found.get("id") == request else {}


def wait(
    cluster: Cluster, namespace: str, room: str, request: str, timeout_s: float, watch: Watch
) -> dict[str, Any]:
    """The answer that ends it, or the last that was given in time."""
    end_s = watch.monotonic_s() + timeout_s
    while True:
        said = answer(cluster.room(namespace, room), request)
        if said.get("state") in ENDS or watch.monotonic_s() >= end_s:
            return said
        watch.sleep(_LOOK_S)


def words(room: str, said: dict[str, Any]) -> str:
    """In a sentence."""
    message = said.get("message", "")
    match said.get("state"):
        case "Done":
            return f"{room} is in the pod {said.get('to', '?')}"
        case "Moving":
            return f"{room} is on its way to the pod {said.get('to', '?')}"
        case "Refused":
            return f"{room} is not moved: {message}"
        case "Failed":
            return f"{room} was not moved: {message}"
        case "Waiting":
            return f"{room} waits: {message}"
    return f"{room}: the operator has not answered. Does it run, for this namespace too?"
