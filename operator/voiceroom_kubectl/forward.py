"""A port of this machine that leads to a pod, through the API server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from voiceroom_kubectl.cluster import ClusterError, Stream

_MAX_CONNECTIONS: Final = 64
"""At once; more wait in the listening socket's queue. A page has two or three."""
_BLOCK: Final = 65_536

Connect = Callable[[], Stream]


@contextmanager
def forwarded(connect: Connect, port: int, refused: Callable[[str], None]) -> Iterator[int]:
    """The port on 127.0.0.1 (0 = any free one), until the end of the block; ``refused`` is told
    why a connection could not be made. Raises ``OSError`` when the port is taken."""
    listener = socket.create_server(("127.0.0.1", port), backlog=_MAX_CONNECTIONS)
    places = threading.BoundedSemaphore(_MAX_CONNECTIONS)

    def serve() -> None:
        with suppress(OSError):  # closed: the end
            while places.acquire():
                near, _ = listener.accept()
                _start(_carry, near, connect, refused, places)

    _start(serve)
    try:
        yield int(listener.getsockname()[1])
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the accept
        listener.close()


def _start(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


def _carry(
    near: socket.socket,
    connect: Connect,
    refused: Callable[[str], None],
    places: threading.BoundedSemaphore,
) -> None:
    try:
        with near:
            far = connect()
            back = threading.Thread(target=_copy, args=(far, near), daemon=True)
            back.start()
            _copy(near, far)
            back.join()
            far.close()
    except ClusterError as error:
        refused(str(error))
    finally:
        places.release()


def _copy(source: Stream, target: Stream) -> None:
    """Until either side ends; then the other one is told."""
    with suppress(OSError):
        while data := source.recv(_BLOCK):
            target.sendall(data)
    for side in (target, source):
        with suppress(OSError):
            _end(side)


def _end(side: Stream) -> None:
    """Wakes who reads from it."""
    shutdown = getattr(side, "shutdown", None)
    if shutdown is None:
        side.close()
    else:
        shutdown(socket.SHUT_RDWR)
