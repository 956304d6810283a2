"""``check``: makes a room, joins it with two clients, and listens."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from voiceroom_api import names
from voiceroom_kubectl.cluster import Cluster, ClusterError, NotFound, Object
from voiceroom_kubectl.listing import condition
from voiceroom_kubectl.output import Terminal
from voiceroom_kubectl.reach import signalling
from voiceroom_kubectl.tokens import Wanted, link, token
from voiceroom_kubectl.watch import Watch
from voiceroom_mixer.cli.probing.pair import Clocks, Report, probe
from voiceroom_mixer.cli.probing.signalling import Link

_LISTEN_S: Final = 3.0
_LOOK_S: Final = 0.5
_CONNECT_S: Final = 15.0
_TRIES: Final = 3
"""A room that is Ready now was not a moment ago, and pods learn of it one after the other."""


@dataclass(frozen=True)
class Order:
    """What to check."""

    namespace: str
    room: str | None
    url: str | None
    keep: bool
    timeout_s: float


def check(cluster: Cluster, order: Order, terminal: Terminal, watch: Watch) -> Report:
    """Raises ``ClusterError``, or ``ConnectionError`` when people could not join either."""
    deadline = watch.monotonic_s() + order.timeout_s
    with _some_room(cluster, order) as name:
        room = _ready(cluster, order.namespace, name, deadline, watch)
        status = room["status"]
        terminal.remark(f"{name} is Ready in {status.get('podName')} on {status.get('nodeName')}")
        reach = signalling(cluster, room, port=0, url=order.url, refused=terminal.remark)
        with reach as base:
            return _listen(cluster, room, base, watch)


@contextmanager
def _some_room(cluster: Cluster, order: Order) -> Iterator[str]:
    if order.room is not None:
        yield order.room
        return
    name = f"check-{secrets.token_hex(3)}"
    cluster.create_room(order.namespace, name)
    try:
        yield name
    finally:
        if not order.keep:
            with suppress(NotFound):
                cluster.delete_room(order.namespace, name)


def _ready(cluster: Cluster, namespace: str, name: str, deadline_s: float, watch: Watch) -> Object:
    while True:
        room = cluster.room(namespace, name)
        ready = condition(room, names.READY)
        if ready.get("status") == "True":
            return room
        if watch.monotonic_s() >= deadline_s:
            raise ClusterError(f"the room {name} is not Ready: {_why(ready)}")
        watch.sleep(_LOOK_S)


def _why(ready: Object) -> str:
    if not ready:
        return "nobody has looked at it; is the operator running, and for this namespace?"
    return f"{ready.get('reason')}: {ready.get('message')}"


def _listen(cluster: Cluster, room: Object, base: str, watch: Watch) -> Report:
    name = room["metadata"]["name"]
    first, second = (
        Link.parse(link(base, name, token(cluster, room, wanted, watch.wall_s())))
        for wanted in (Wanted(identity="check-1"), Wanted(identity="check-2"))
    )
    clocks = Clocks(watch.monotonic_ns, watch.wall_ns)
    for _ in range(_TRIES - 1):
        with suppress(ConnectionError):
            return probe((first, second), clocks, listen_s=_LISTEN_S, timeout_s=_CONNECT_S)
        watch.sleep(1.0)
    return probe((first, second), clocks, listen_s=_LISTEN_S, timeout_s=_CONNECT_S)
