"""``/metrics`` and ``/healthz`` with the standard library: no token, no secret, few connections."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from typing import Any, Final

from voiceroom_mixer.clockprobe.exposition import OPENMETRICS, TEXT
from voiceroom_mixer.config import Endpoint

MAX_CONNECTIONS: Final = 16
PATIENCE_S: Final = 5.0
"""Who connects and says nothing for so long is let go."""

Expose = Callable[[bool], str]
"""The text of ``/metrics``; whether in OpenMetrics."""
Health = Callable[[], dict[str, Any]]
"""What ``/healthz`` says; ``alive`` in it decides."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, at: Endpoint, expose: Expose, health: Health) -> None:
        self.expose, self.health = expose, health
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        if at.is_ipv6:
            self.address_family = AF_INET6
        super().__init__((at.host, at.port), _Handler)

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
        """A scraper that goes away in the middle is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE_S
    server: _Server

    def do_GET(self) -> None:
        """One answer, then the connection ends (HTTP/1.0)."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            openmetrics = "application/openmetrics-text" in self.headers.get("Accept", "")
            text = self.server.expose(openmetrics)
            self._say(HTTPStatus.OK, OPENMETRICS if openmetrics else TEXT, text)
        elif path == "/healthz":
            health = self.server.health()
            status = HTTPStatus.OK if health["alive"] else HTTPStatus.SERVICE_UNAVAILABLE
            self._say(status, "application/json", json.dumps(health))
        else:
            self._say(HTTPStatus.NOT_FOUND, "text/plain", "try /metrics or /healthz\n")

    def _say(self, status: HTTPStatus, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Scrapes are not worth a line."""


class Door:
    """Serves in threads of its own until the process ends."""

    def __init__(self, at: Endpoint, expose: Expose, health: Health) -> None:
        """Raises ``OSError`` when ``at`` cannot be listened on."""
        self._server = _Server(at, expose, health)

    @property
    def port(self) -> int:
        """The one that was chosen, where 0 was asked for."""
        return int(self._server.server_address[1])

    def open(self) -> None:
        """From now on."""
        threading.Thread(target=self._server.serve_forever, name="door", daemon=True).start()

    def close(self) -> None:
        """No more."""
        self._server.shutdown()
        self._server.server_close()
