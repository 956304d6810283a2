"""A proxy before a real API server that answers wrongly, stays silent or cuts streams on demand."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

WRITES: Final = ("POST", "PATCH", "PUT", "DELETE")
_DROPPED: Final = frozenset({"authorization", "host", "connection", "transfer-encoding"})


@dataclass(frozen=True)
class Call:
    """One request on its way."""

    method: str
    path: str

    @property
    def is_write(self) -> bool:
        """Of an object; not of the Lease, which is renewed all the time."""
        return self.method in WRITES and "/leases" not in self.path


Before = Callable[[Call], int]
"""An HTTP status to answer with instead of asking the API server; 0 = ask it."""


@dataclass
class ApiProxy:
    """Told what to do wrong by its two callables; they run in its thread."""

    kubeconfig: Path
    """Of the proxy."""
    before: Before = lambda _: 0
    after: Callable[[Call], None] = lambda _: None
    """A write has been made, and its answer is not on its way yet."""
    calls: list[Call] = field(default_factory=list)
    streams: set[asyncio.Task[object] | None] = field(default_factory=set)
    loop: asyncio.AbstractEventLoop | None = None

    def writes(self) -> int:
        """How many there were."""
        return sum(call.is_write for call in self.calls)

    def cut_streams(self) -> int:
        """End every watch in the middle; how many there were."""
        assert self.loop is not None
        cut = [task for task in self.streams if task is not None]
        for task in cut:
            self.loop.call_soon_threadsafe(task.cancel)
        return len(cut)


@dataclass(frozen=True)
class _Upstream:
    server: str
    token: str
    trust: str
    """The authority's certificate, PEM."""


def _upstream(kubeconfig: Path) -> _Upstream:
    told = yaml.safe_load(kubeconfig.read_text())
    cluster, user = told["clusters"][0]["cluster"], told["users"][0]["user"]
    trust = b64decode(cluster["certificate-authority-data"]).decode()
    return _Upstream(cluster["server"], user["token"], trust)


@contextlib.contextmanager
def proxied(kubeconfig: Path, folder: Path) -> Iterator[ApiProxy]:
    """A proxy before the API server of ``kubeconfig``, with its rights."""
    proxy = ApiProxy(folder / "proxy.kubeconfig")
    serving, stop = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(proxy, _upstream(kubeconfig), serving, stop))
    )
    thread.start()
    try:
        assert serving.wait(10), "the proxy does not listen"
        yield proxy
    finally:
        stop.set()
        thread.join()


async def _serve(
    proxy: ApiProxy, upstream: _Upstream, serving: threading.Event, stop: threading.Event
) -> None:
    proxy.loop = asyncio.get_running_loop()
    trust = ssl.create_default_context(cadata=upstream.trust)
    timeout = ClientTimeout(total=None, sock_connect=5)
    async with ClientSession(connector=TCPConnector(ssl=trust, limit=0), timeout=timeout) as client:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", _Passer(proxy, upstream, client).answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _write_kubeconfig(proxy.kubeconfig, runner.addresses[0][1])
        serving.set()
        await proxy.loop.run_in_executor(None, stop.wait)
        await runner.cleanup()


def _write_kubeconfig(path: Path, port: int) -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "proxy", "user": {}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
    }
    path.write_text(yaml.safe_dump(document))


class _Passer:
    """Requests there, answers back."""

    def __init__(self, proxy: ApiProxy, upstream: _Upstream, client: ClientSession) -> None:
        self._proxy, self._upstream, self._client = proxy, upstream, client

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        call = Call(request.method, request.path_qs)
        self._proxy.calls.append(call)
        wrong = self._proxy.before(call)
        if wrong:
            return web.json_response(
                {"kind": "Status", "status": "Failure", "code": wrong, "message": "by the test"},
                status=wrong,
            )
        if "watch=true" in request.query_string or "watch=1" in request.query_string:
            return await self._watch(request)
        return await self._pass_on(request, call)

    async def _pass_on(self, request: web.Request, call: Call) -> web.Response:
        async with self._ask(request, await request.read()) as answer:
            body = await answer.read()
            if call.is_write:
                self._proxy.after(call)
            kept = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
            return web.Response(status=answer.status, body=body, headers=kept)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        self._proxy.streams.add(task)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        try:
            async with self._ask(request, b"") as answer:
                response.set_status(answer.status)
                await response.prepare(request)
                async for piece in answer.content.iter_any():
                    await response.write(piece)
        finally:
            self._proxy.streams.discard(task)
        return response

    def _ask(
        self, request: web.Request, body: bytes
    ) -> contextlib.AbstractAsyncContextManager[ClientResponse]:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _DROPPED}
        headers["Authorization"] = f"Bearer {self._upstream.token}"
        url = self._upstream.server + request.path_qs
        return self._client.request(
            request.method, URL(url, encoded=True), headers=headers, data=body or None
        )
