"""Eyes on the cluster and on its mixer pods: threads that look while the story goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from demo import reading
from demo.record import Record
from voiceroom_kubectl.api import ApiCluster, connected
from voiceroom_kubectl.cluster import ClusterError
from voiceroom_kubectl.report import report

ROOM, POOL = "lobby", "default"
NAMESPACE = "default"
LOOK_S = 0.2
ASK_S = 0.5
Object = dict[str, Any]
Moved = Callable[[tuple[str, int]], None]
"""Is told where gateways have to send from now on."""


@contextmanager
def repeated(*looks: tuple[Callable[[], None], float]) -> Iterator[None]:
    """Each of these again and again, in a thread of its own, with a pause in seconds."""
    over = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(*look, over)) for look in looks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _repeat(look: Callable[[], None], pause_s: float, over: threading.Event) -> None:
    while not over.wait(pause_s):
        with suppress(ClusterError):  # it is asked again
            look()


@contextmanager
def watched(
    kubeconfig: Path, pods: Mapping[str, Object], record: Record, moved: Moved
) -> Iterator[None]:
    """The room, its pool, and these pods, for the time of the block."""
    api = connected(str(kubeconfig), None)
    pool = reading.PoolReader()
    asked = (_PodEye(connected(str(kubeconfig), None), pod, record).look for pod in pods.values())
    cluster = partial(_look, api, pool, record, moved)
    with repeated((cluster, LOOK_S), *((look, ASK_S) for look in asked)):
        yield


def _look(api: ApiCluster, pool: reading.PoolReader, record: Record, moved: Moved) -> None:
    room = api.room(NAMESPACE, ROOM)
    (found,) = (one for one in api.pools(NAMESPACE) if one["metadata"]["name"] == POOL)
    now_s = time.monotonic()
    record.see([*pool.facts(found, now_s), *reading.room_facts(room, now_s)])
    if there := reading.endpoint(room):
        moved(there)


class _PodEye:
    """Asks one pod for its own report for as long as that very pod is there."""

    def __init__(self, api: ApiCluster, pod: Object, record: Record) -> None:
        self._api, self._pod, self._record = api, pod, record

    def look(self) -> None:
        uid = self._pod["metadata"]["uid"]
        if uid not in {pod["metadata"]["uid"] for pod in self._api.mixers(NAMESPACE)}:
            return
        said = report(self._api, self._pod, time.time())
        self._record.see([reading.judgement(self._pod, said, time.monotonic())])
        self._record.keep(self._pod["spec"]["nodeName"], reading.lateness(said))
