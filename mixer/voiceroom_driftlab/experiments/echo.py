"""Many connections of one event loop that answer binding requests, and a client that asks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.edge import clock

CONNECTIONS: Final = 20
ASK_EVERY_NS: Final = 5 * NS_PER_MS
"""Of all connections in turn: each is asked ten times a second."""
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
_DROPS: Final = 8
_STAMP: Final = struct.Struct("<q")


class _Answer(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)


@dataclass(slots=True)
class Server:
    """A loop in a thread of its own, with its connections and a probe of its lag."""

    loop: asyncio.AbstractEventLoop
    sockets: list[socket.socket]
    lag_ns: list[tuple[int, int]] = field(default_factory=list)
    """(when, how late) of the loop's own 10 ms timer."""
    ready: list[tuple[int, int]] = field(default_factory=list)
    """(when, how many callbacks were ready behind that timer)."""

    def queued_bytes(self) -> int:
        """In all receive queues, by the kernel's own word."""
        return sum(_meminfo(one)[0] for one in self.sockets)

    def drops(self) -> int:
        """Datagrams that found a receive queue full."""
        return sum(_meminfo(one)[_DROPS] for one in self.sockets)


def _meminfo(one: socket.socket) -> tuple[int, ...]:
    return _MEMINFO.unpack(one.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))


_PROBE_S: Final = 0.01


async def _probe(server: Server) -> None:
    """What ``voiceroom_loop_lag_seconds`` is: a timer of the loop, on absolute deadlines."""
    due_ns = clock.monotonic_ns()
    while True:
        due_ns += int(_PROBE_S * 1e9)
        await asyncio.sleep((due_ns - clock.monotonic_ns()) / 1e9)
        now_ns = clock.monotonic_ns()
        server.lag_ns.append((now_ns, now_ns - due_ns))
        server.ready.append((now_ns, len(getattr(server.loop, "_ready", ()))))
        due_ns = max(due_ns, now_ns - int(_PROBE_S * 1e9))


async def _live(server: Server, up: Future[None], over: asyncio.Event) -> None:
    ends = [await server.loop.create_datagram_endpoint(_Answer, sock=one) for one in server.sockets]
    probe = asyncio.create_task(_probe(server))
    up.set_result(None)
    await over.wait()
    probe.cancel()
    for transport, _ in ends:
        transport.close()


def _bound() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setblocking(False)
    one.bind(("127.0.0.1", 0))
    return one


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Run the loop in a thread until the block is left."""
    server = Server(asyncio.new_event_loop(), [_bound() for _ in range(CONNECTIONS)])
    up: Future[None] = Future()
    over = asyncio.Event()
    thread = threading.Thread(
        target=server.loop.run_until_complete, args=(_live(server, up, over),), name="loop"
    )
    thread.start()
    up.result(timeout=30)
    try:
        yield server
    finally:
        server.loop.call_soon_threadsafe(over.set)
        thread.join()
        server.loop.run_until_complete(server.loop.shutdown_default_executor())
        server.loop.close()


@dataclass(slots=True)
class Asked:
    """What the client saw, by time."""

    answers: list[tuple[int, int, int]] = field(default_factory=list)
    """(connection, when it was asked, when it answered)."""
    queued: list[tuple[int, int]] = field(default_factory=list)
    asked: int = 0
    dropped: int = 0
    """By full receive queues of the server."""


def ask(server: Server, until_ns: int) -> Asked:
    """Ask one connection after the other until then; 200 ms more for what comes late."""
    seen = Asked()
    clients = [_bound() for _ in server.sockets]
    addresses = [one.getsockname() for one in server.sockets]
    due_ns = clock.monotonic_ns()
    try:
        while due_ns < until_ns + 200 * NS_PER_MS:
            clock.sleep_until(due_ns)
            if due_ns < until_ns:
                which = seen.asked % len(clients)
                clients[which].sendto(_STAMP.pack(clock.monotonic_ns()), addresses[which])
                seen.asked += 1
            _collect(clients, seen)
            seen.queued.append((clock.monotonic_ns(), server.queued_bytes()))
            due_ns += ASK_EVERY_NS
        seen.dropped = server.drops()
    finally:
        for one in clients:
            one.close()
    return seen


def _collect(clients: list[socket.socket], seen: Asked) -> None:
    for which, one in enumerate(clients):
        with contextlib.suppress(BlockingIOError):
            while True:
                asked_ns = _STAMP.unpack(one.recv(_STAMP.size))[0]
                seen.answers.append((which, asked_ns, clock.monotonic_ns()))
