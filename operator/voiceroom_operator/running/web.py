"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web

from voiceroom_operator.running.pulse import Pulse

_OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def application(
    pulse: Pulse, ready: Callable[[], str], exposition: Callable[[], bytes]
) -> web.Application:
    """``ready``: why this replica is not, empty when it is."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(pulse.complaint())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=exposition(), headers={"Content-Type": _OPENMETRICS})

    app = web.Application(client_max_size=1024)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


def _answer(complaint: str) -> web.Response:
    if complaint:
        return web.Response(status=503, text=f"{complaint}\n")
    return web.Response(text="ok\n")


class Server:
    """Listens."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self._host, self._port = host, port

    async def start(self) -> int:
        """The port. Raises ``OSError`` when it is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        addresses = self._runner.addresses
        return int(addresses[0][1])

    async def stop(self) -> None:
        """Close."""
        await self._runner.cleanup()
