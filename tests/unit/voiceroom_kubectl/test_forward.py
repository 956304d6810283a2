"""A port of this machine that leads elsewhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from voiceroom_kubectl.cluster import ClusterError, Stream
from voiceroom_kubectl.forward import forwarded


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets, in capitals, and ends when its client does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            while True:
                client, _ = listener.accept()
                with client:
                    while data := client.recv(4096):
                        client.sendall(data.upper())
        except OSError:
            return

    thread = threading.Thread(target=serve)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def said(port: int, text: bytes) -> bytes:
    """What comes back to one client that ends its side."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(text)
        answer = b""
        while len(answer) < len(text) and (data := client.recv(4096)):
            answer += data
        return answer


def test_bytes_go_there_and_back_for_one_after_the_other(echo: int) -> None:
    def connect() -> Stream:
        return socket.create_connection(("127.0.0.1", echo))

    refused: list[str] = []
    with forwarded(connect, 0, refused.append) as port:
        assert said(port, b"hello") == b"HELLO"
        assert said(port, b"x" * 300_000) == b"X" * 300_000
    assert refused == []


def test_a_pod_that_is_gone_is_told_and_the_client_sees_an_end() -> None:
    told = threading.Event()
    words: list[str] = []

    def connect() -> Stream:
        raise ClusterError("the pod is gone")

    def refused(text: str) -> None:
        words.append(text)
        told.set()

    with forwarded(connect, 0, refused) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            assert client.recv(10) == b""
        assert told.wait(10)
    assert words == ["the pod is gone"]


def test_the_port_is_free_again_afterwards(echo: int) -> None:
    def connect() -> Stream:
        return socket.create_connection(("127.0.0.1", echo))

    with forwarded(connect, 0, print) as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_a_port_that_is_taken_is_refused(echo: int) -> None:
    with pytest.raises(OSError, match="in use"), forwarded(lambda: None, echo, print):  # type: ignore[arg-type, return-value]
        pass
