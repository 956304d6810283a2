"""A watch of rooms that notes when news of them came."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import urlopen

from bench.errors import BenchError
from voiceroom_kubectl.reach import is_ready

Body = Mapping[str, Any]
LOOK_S: Final = 0.05
AGAIN_S: Final = 0.2
"""Between two attempts to go on with a watch that was cut."""
TOLD: Final = 3
TRIES: Final = 50
"""In a row that brought no connection."""


@dataclass(slots=True)
class Story:
    """What the watch has told of one room: monotonic seconds."""

    added_s: float
    ready_s: float | None = None
    """When it said Ready for the first time."""
    generation: int = 0
    """The last that its status speaks of."""
    steps: list[tuple[float, str]] = field(default_factory=list)
    """Until then: when its condition Ready got which reason, from when it was added."""

    def take(self, body: Body, now_s: float) -> None:
        """What it looks like now."""
        self.generation = (body.get("status") or {}).get("observedGeneration", 0)
        if self.ready_s is not None:
            return
        self._note(_reason(body), now_s)
        # Not by the phase: that is Degraded on a machine whose CPUs twenty mixers share.
        if is_ready(dict(body)):
            self.ready_s = now_s

    def _note(self, reason: str, now_s: float) -> None:
        if not self.steps or self.steps[-1][1] != reason:
            self.steps.append((now_s - self.added_s, reason))

    def __str__(self) -> str:
        return ", ".join(f"{reason} after {at_s:.2f} s" for at_s, reason in self.steps)


def _reason(body: Body) -> str:
    conditions = (body.get("status") or {}).get("conditions", [])
    found = (each.get("reason", "") for each in conditions if each["type"] == "Ready")
    return str(next(found, "no status"))


@dataclass
class Watch:
    """A watch of all rooms of the namespace, read by a thread of its own.

    Cut, it goes on where it was; where that cannot be, whoever waits hears why.
    """

    port: int
    path: str
    stories: dict[str, Story] = field(default_factory=dict)
    _version: str = ""
    _ended: str = ""

    def start(self) -> None:
        """From now on. Raises: BenchError when there is no watch."""
        first = self._open()
        threading.Thread(target=self._read, args=(first,), name="watch", daemon=True).start()

    def _open(self) -> http.client.HTTPResponse:
        since = f"&resourceVersion={self._version}" if self._version else ""
        path = f"{self.path}?watch=1&allowWatchBookmarks=1&timeoutSeconds=7200{since}"
        try:
            answer: http.client.HTTPResponse = urlopen(f"http://127.0.0.1:{self.port}{path}")
        except HTTPError as refused:
            with refused:
                text = refused.read(300).decode(errors="replace")
            raise BenchError(f"watch of rooms: {refused.code} {text}") from None
        return answer

    def _read(self, answer: http.client.HTTPResponse | None) -> None:
        try:
            while answer is not None:
                self._take_all(answer)
                answer = self._again()
            self._ended = "the watch of rooms was cut and could not be opened again"
        except BenchError as error:
            self._ended = str(error)

    def _again(self) -> http.client.HTTPResponse | None:
        for _ in range(TRIES):
            time.sleep(AGAIN_S)
            with suppress(http.client.HTTPException, OSError):
                return self._open()
        return None

    def _take_all(self, answer: http.client.HTTPResponse) -> None:
        with answer:
            for line in _whole_lines(answer):
                self.take(json.loads(line), time.monotonic())

    def take(self, event: Body, now_s: float) -> None:
        """One event. Raises: BenchError when it is an error."""
        body = event["object"]
        if event["type"] == "ERROR":
            raise BenchError(f"watch of rooms: {body.get('message', body)}")
        name = body["metadata"].get("name", "")
        if event["type"] == "DELETED":
            self.stories.pop(name, None)
        elif event["type"] != "BOOKMARK":
            self.stories.setdefault(name, Story(now_s)).take(body, now_s)
        self._version = body["metadata"].get("resourceVersion", self._version)

    def ready(self, name: str) -> bool:
        """Whether it has been so."""
        story = self.stories.get(name)
        return story is not None and story.ready_s is not None

    def stories_of(self, names: Iterable[str]) -> str:
        """Of a few of them."""
        some = sorted(names)[:TOLD]
        return "; ".join(f"{name}: {self.stories.get(name, 'never seen')}" for name in some)

    def until(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        """Raises: BenchError when it does not come true."""
        end_s = time.monotonic() + within_s
        while not holds():
            if self._ended:
                raise BenchError(self._ended)
            if time.monotonic() > end_s:
                raise BenchError(f"not within {within_s:g} s: {what}")
            time.sleep(LOOK_S)


def _whole_lines(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """What a connection that is cut leaves of its last line is not told: it comes again."""
    try:
        for line in answer:
            if line.endswith(b"\n"):
                yield line
    except (http.client.HTTPException, OSError):
        return
