"""Events of what was begun and ended, on the pod that it was done to."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from voiceroom_chaosdoor.journal import Entry
from voiceroom_chaosdoor.kube import Kube, KubeError

MOST: Final = 64
"""That may wait for the API server."""
COMPONENT: Final = "voiceroom-chaos-door"
_log = logging.getLogger(__name__)


class Events:
    """They are sent in a thread of its own: no end waits for the API server."""

    def __init__(self, kube: Kube, node: str, wall_s: Callable[[], int]) -> None:
        self._kube, self._node, self._wall_s = kube, node, wall_s
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST)
        self._thread = threading.Thread(target=self._send, name="events", daemon=True)
        self.dropped = 0
        """Not sent: the API server refused, or too many waited."""

    def start(self) -> None:
        """From now on they are sent."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Send what waits, for so long at most."""
        self._put(None)
        self._thread.join(timeout_s)

    def tell(self, entry: Entry, what: str, words: str) -> None:
        """``what``: ``Began`` or ``Over``."""
        when = datetime.fromtimestamp(self._wall_s(), UTC).isoformat().replace("+00:00", "Z")
        self._put(event(entry, what, words, self._node, when))

    def _put(self, body: dict[str, Any] | None) -> None:
        try:
            self._waiting.put_nowait(body)
        except queue.Full:
            self.dropped += 1

    def _send(self) -> None:
        while (body := self._waiting.get()) is not None:
            self._post(body)

    def _post(self, body: Mapping[str, Any]) -> None:
        try:
            self._kube.create_event(body["metadata"]["namespace"], body)
        except KubeError as error:
            self.dropped += 1
            _log.warning("an event was not taken", extra={"error": str(error)})


def event(entry: Entry, what: str, words: str, node: str, when: str) -> dict[str, Any]:
    """A core/v1 Event."""
    pod = {"apiVersion": "v1", "kind": "Pod", "namespace": entry.namespace, "name": entry.pod}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{entry.pod}.", "namespace": entry.namespace},
        "involvedObject": pod | {"uid": entry.uid},
        "reason": f"Chaos{what}",
        "message": words,
        "type": "Warning" if what == "Began" else "Normal",
        "source": {"component": COMPONENT, "host": node},
        "reportingComponent": COMPONENT,
        "reportingInstance": node,
        "firstTimestamp": when,
        "lastTimestamp": when,
        "count": 1,
    }
