"""``canary``: where a grey release stands, and a person's decision about it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any, Final

from voiceroom_api import names
from voiceroom_kubectl.cluster import Cluster, NotFound, Object

WISHES: Final = {"promote": "Promote", "rollback": "RollBack", "retry": "Retry"}
"""By the word that is typed."""
HEADS: Final = ["INDICATOR", "VALUE", "LIMIT", "SAMPLES", "NEEDED", "VERDICT"]


def pool(cluster: Cluster, namespace: str, name: str) -> Object:
    """The canary. Raises ``NotFound`` where there is no such pool, or it is none."""
    for found in cluster.pools(namespace):
        if found["metadata"]["name"] == name:
            if "canary" not in found.get("spec", {}):
                raise NotFound(f"MixerPool {name} is no canary: it has no spec.canary")
            return found
    raise NotFound(f'mixerpools.voiceroom.dev "{name}" not found in {namespace}')


def decide(
    cluster: Cluster,
    namespace: str,
    name: str,
    wish: str,
    why: str,
    made: Callable[[], str] = lambda: secrets.token_hex(4),
) -> str:
    """Set the annotation; the id of the decision. Raises ``NotFound``."""
    said = {"id": made(), "do": WISHES[wish], "why": why}
    patch = {"metadata": {"annotations": {names.CANARY_ANNOTATION: json.dumps(said)}}}
    cluster.patch_pool(namespace, name, patch)
    return said["id"]


def status(canary: Object) -> dict[str, Any]:
    """``status.canary``; empty = the operator has said nothing yet."""
    return dict(canary.get("status", {}).get("canary") or {})


def lines(canary: Object) -> list[str]:
    """Where it stands, in words."""
    said, name = status(canary), canary["metadata"]["name"]
    if not said:
        return [f"{name}: the operator has not said anything yet. Does it run, for this namespace?"]
    of = canary["spec"]["canary"]["of"]
    found = [
        f"{name} is the canary of {of}: {said.get('phase', '?')} since {said.get('since', '?')}, "
        f"{said.get('rooms', 0)} of its rooms are here",
        f"{said.get('reason', '?')}: {said.get('message', '')}",
    ]
    answer = said.get("decision")
    if answer:
        message = f": {answer['message']}" if answer.get("message") else ""
        found.append(f"decision {answer['id']}: {answer.get('state', '?')}{message}")
    return found


def rows(canary: Object) -> list[list[str]]:
    """Of the table of indicators."""
    return [
        [
            str(each["name"]),
            "-" if "value" not in each else _figure(each["name"], each["value"]),
            _figure(each["name"], each.get("limit", 0)),
            str(each.get("samples", 0)),
            str(each.get("needed", 0)),
            str(each.get("verdict", "?")),
        ]
        for each in status(canary).get("indicators", ())
    ]


def _figure(name: str, value: float) -> str:
    return f"{value:.0f} us" if name == "Lateness" else f"{value:.3f}"
