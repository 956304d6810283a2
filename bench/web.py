"""A small blocking HTTP client that keeps its connection, and answers for errors."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.errors import BenchError

TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Of any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body; raises ``BenchError`` when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BenchError(f"status {self.status}, not JSON: {self.body[:200]!r}") from error


class Client:
    """One connection to 127.0.0.1."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._headers = dict(headers or {})

    def call(self, method: str, path: str, body: bytes = b"", kind: str = "") -> Answer:
        """Raises ``OSError`` when there is nobody."""
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        try:
            self._connection.request(method, path, body or None, headers)
            got = self._connection.getresponse()
            return Answer(got.status, dict(got.getheaders()), got.read())
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise

    def post_json(self, path: str, value: object) -> Answer:
        """POST a JSON body."""
        return self.call("POST", path, json.dumps(value).encode(), "application/json")

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def answers(port: int, path: str) -> bool:
    """Whether a GET is answered with 200."""
    client = Client(port)
    try:
        return client.call("GET", path).status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
