"""The bench's watch of rooms, beside a server that cuts it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from bench.cluster.watching import Watch
from bench.errors import BenchError


def event(kind: str, ready: str, reason: str = "", generation: int = 1, version: str = "1") -> Any:
    condition = {"type": "Ready", "status": ready, "reason": reason}
    # starved, as everything is where twenty mixers share two CPUs: Ready all the same
    status = {"phase": "Degraded", "conditions": [condition], "observedGeneration": generation}
    head = {"name": "r", "resourceVersion": version}
    return {"type": kind, "object": {"metadata": head, "status": status}}


def test_it_tells_when_a_room_was_ready_first_and_how_it_came_to_that() -> None:
    watch = Watch(0, "")
    watch.take(event("ADDED", "False", "NoPod"), 5.0)
    assert not watch.ready("r")
    watch.take(event("MODIFIED", "False", "NoPod"), 5.2)
    watch.take(event("MODIFIED", "True", "Bound"), 5.5)
    watch.take(event("MODIFIED", "True", "Moved", generation=2), 9.0)
    assert watch.ready("r")
    story = watch.stories["r"]
    assert (story.ready_s, story.generation) == (5.5, 2)
    assert str(story) == "NoPod after 0.00 s, Bound after 0.50 s"
    assert watch.stories_of(["r", "s"]) == f"r: {story}; s: never seen"
    watch.take(event("DELETED", "True"), 10.0)
    assert watch.stories == {}


def test_an_error_ends_it_and_is_told() -> None:
    status = {"type": "ERROR", "object": {"message": "too old resource version"}}
    with pytest.raises(BenchError, match="too old resource version"):
        Watch(0, "").take(status, 0.0)


class Cutting(HTTPServer):
    """Its first watch is cut in the middle of a line; the second ends with an error."""

    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Cutting

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if len(self.server.asked) == 1:
            whole = json.dumps(event("ADDED", "False", version="7")) + "\n"
            self._chunk(whole + whole[: len(whole) // 2])
        else:
            self._chunk(json.dumps(event("MODIFIED", "True", version="8")) + "\n")
            self._chunk(json.dumps({"type": "ERROR", "object": {"message": "the end"}}) + "\n")
        self.close_connection = True

    def _chunk(self, text: str) -> None:
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def cutting() -> Iterator[Cutting]:
    with Cutting(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_one_that_is_cut_goes_on_where_it_was(cutting: Cutting) -> None:
    watch = Watch(cutting.server_port, "/rooms")
    watch.start()
    with pytest.raises(BenchError, match="the end"):
        watch.until(lambda: False, 20.0, "the end")
    assert watch.ready("r")
    assert len(cutting.asked) == 2
    assert "resourceVersion" not in cutting.asked[0]
    assert cutting.asked[1].endswith("&resourceVersion=7")
