"""The door's two listeners: orders on the pod's loopback, which ``kubectl port-forward`` reaches
and the network does not; figures for whoever scrapes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from voiceroom_chaosdoor.refusal import Refused

MAX_CONNECTIONS: Final = 8
MAX_BODY: Final = 4_096
PATIENCE_S: Final = 10.0
"""Who connects and says nothing for so long is let go."""
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_POLL_S: Final = 0.1
"""An end is seen so late."""
_NAME: Final = "[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?"
_PATH: Final = re.compile(rf"/v1/pods/(?P<namespace>{_NAME})/(?P<pod>{_NAME})/chaos")

Answer = tuple[int, str, str]
"""Status, content type, text."""
Serve = Callable[["Request"], Answer]


class Request:
    """What was asked."""

    def __init__(self, method: str, path: str, authorization: str, body: bytes) -> None:
        self.method, self.path = method, path
        self.authorization, self.body = authorization, body

    def place(self) -> tuple[str, str]:
        """Namespace and name of the pod. Raises ``Refused`` 404."""
        found = _PATH.fullmatch(self.path)
        if found is None:
            raise Refused(404, "not_found", "try /v1/pods/NAMESPACE/POD/chaos")
        return found["namespace"], found["pod"]

    def document(self) -> dict[str, Any]:
        """Raises ``Refused`` 400, 413."""
        if len(self.body) > MAX_BODY:
            raise Refused(413, "too_large", f"an order has at most {MAX_BODY} bytes")
        try:
            found = json.loads(self.body)
        except ValueError:
            raise Refused(400, "bad_json", "an order is a JSON object") from None
        if not isinstance(found, dict):
            raise Refused(400, "bad_json", "an order is a JSON object")
        return found


def said(status: int, document: dict[str, Any]) -> Answer:
    """As JSON."""
    return status, "application/json", json.dumps(document) + "\n"


def refused(error: Refused) -> Answer:
    """As every HTTP API of the product says it."""
    return said(error.status, {"error": error.error, "message": error.message})


def figures(text: Callable[[], str], alive: Callable[[], bool], ready: Callable[[], bool]) -> Serve:
    """``/metrics``, ``/healthz`` and ``/readyz``."""
    states = {"/healthz": ("alive", alive), "/readyz": ("ready", ready)}

    def serve(request: Request) -> Answer:
        if request.path == "/metrics":
            return 200, TEXT, text()
        if request.path in states:
            word, holds = states[request.path]
            yes = holds()
            return said(200 if yes else 503, {word: yes})
        return refused(Refused(404, "not_found", "try /metrics, /healthz or /readyz"))

    return serve


class Listener(ThreadingHTTPServer):
    """Serves in threads of its own until it is closed."""

    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, at: tuple[str, int], serve: Serve) -> None:
        """Raises ``OSError`` when it cannot listen."""
        self.serve = serve
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(at, _Handler)

    @property
    def port(self) -> int:
        """The one that was chosen, where 0 was asked for."""
        return int(self.server_address[1])

    def open(self) -> None:
        """From now on."""
        threading.Thread(
            target=self.serve_forever, args=(_POLL_S,), name="listener", daemon=True
        ).start()

    def close(self) -> None:
        """No more."""
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A connection too many is closed at once."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever goes away in the middle is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE_S
    server: Listener

    def do_GET(self) -> None:
        """One answer, then the connection ends (HTTP/1.0)."""
        self._answer()

    def do_POST(self) -> None:
        """The same."""
        self._answer()

    def do_DELETE(self) -> None:
        """The same."""
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        authorization = self.headers.get("Authorization", "")
        status, content_type, text = self.server.serve(
            Request(self.command, path, authorization, self._read())
        )
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _read(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        most = MAX_BODY + 1
        return self.rfile.read(min(int(length), most)) if length.isdecimal() else b""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The desk logs what matters."""
