"""Serving an app on a socket that the keeper owns: bounded in connections and in patience."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web import Server

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.config import ConfigError

MAX_CONNECTIONS: Final = 8192
FIRST_REQUEST_NS: Final = 10 * NS_PER_S
"""Who connects and says nothing for so long is let go."""
KEEPALIVE_S: Final = 75.0
SHUTDOWN_S: Final = 2.0
_LINGER_S: Final = 2.0
_BACKLOG: Final = 1024
_SPARE_FILES: Final = 128


def raise_file_limit() -> int:
    """Lift the soft limit of open files to the hard one; how many connections that allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    files = hard if hard != resource.RLIM_INFINITY else MAX_CONNECTIONS * 2
    return max(16, min(MAX_CONNECTIONS, files // 2 - _SPARE_FILES))


class _Refused(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class Gate:
    """Makes a connection's protocol while there is room, and lets silent ones go."""

    def __init__(self, server: Server, limit: int, now_ns: Callable[[], int]) -> None:
        self._server = server
        self._limit = limit
        self._now_ns = now_ns
        self._fresh: dict[web.RequestHandler, int] = {}
        self.refused = 0
        self.timed_out = 0

    def __call__(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        if len(self._server.connections) >= self._limit:
            self.refused += 1
            return _Refused()
        handler = self._server()
        self._fresh[handler] = self._now_ns()
        return handler

    def heard(self, handler: asyncio.BaseProtocol) -> None:
        """The connection has sent a request."""
        if isinstance(handler, web.RequestHandler):
            self._fresh.pop(handler, None)

    def sweep(self, now_ns: int) -> None:
        """Let go of who has been silent for too long; call it every few seconds."""
        open_ones = set(self._server.connections)
        for handler, since_ns in tuple(self._fresh.items()):
            if now_ns - since_ns < FIRST_REQUEST_NS:
                continue
            del self._fresh[handler]
            if handler in open_ones:
                self.timed_out += 1
                handler.force_close()


class Listener:
    """One app on one inherited socket."""

    def __init__(
        self,
        app: web.Application,
        sock: socket.socket,
        *,
        limit: int,
        now_ns: Callable[[], int],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        app.middlewares.append(self._noting())
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=_LINGER_S,
            shutdown_timeout=SHUTDOWN_S,
        )
        self._sock, self._limit, self._now_ns, self._tls = sock, limit, now_ns, tls
        self._server: asyncio.Server | None = None
        self._in_progress = 0
        self.gate: Gate | None = None

    async def start(self) -> None:
        """Accept connections from now on."""
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        self.gate = Gate(server, self._limit, self._now_ns)
        self._sock.setblocking(False)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self.gate, sock=self._sock, ssl=self._tls, backlog=_BACKLOG
        )

    def _noting(self) -> Middleware:
        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.gate is not None:
                self.gate.heard(request.protocol)
            self._in_progress += 1
            try:
                return await handler(request)
            finally:
                self._in_progress -= 1

        return note

    def sweep(self, now_ns: int) -> None:
        """See ``Gate.sweep``."""
        if self.gate is not None:
            self.gate.sweep(now_ns)

    def tasks(self) -> int:
        """Tasks that there should be: one a connection, one a request in progress."""
        server = self._runner.server
        return self._in_progress + (len(server.connections) if server is not None else 0)

    async def stop(self) -> None:
        """Accept no more, finish what is being answered, close."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    """For ``--tls-cert`` and ``--tls-key``. Raises ``ConfigError``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"--tls-cert {cert}, --tls-key {key}: cannot be used together: {error}"
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context
