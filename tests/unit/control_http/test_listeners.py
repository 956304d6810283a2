"""Connections: bounded in number, and in how long they may say nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fakes import looptime
from fakes.door import make_context
from fakes.service import FakeRooms
from voiceroom_mixer.config import ConfigError
from voiceroom_mixer.control.http.apps import people_app
from voiceroom_mixer.control.http.listeners import Listener, tls_context


class Served:
    """A listener on a loopback port."""

    def __init__(self, folder: Path, limit: int, tls: ssl.SSLContext | None = None) -> None:
        context = make_context(folder, FakeRooms(), [])
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.listener = Listener(
            people_app(context), self.socket, limit=limit, now_ns=context.now_ns, tls=tls
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of a client."""
        return await asyncio.open_connection(*self.socket.getsockname())


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> str:
    """The status line of the answer to a GET."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
    await reader.readexactly(int(length))
    return head.split(b"\r\n")[0].decode()


def test_a_connection_too_many_is_closed_and_counted(tmp_path: Path) -> None:
    async def main() -> None:
        served = Served(tmp_path, limit=2)
        await served.listener.start()
        pairs = [await served.connect() for _ in range(2)]
        for reader, writer in pairs:
            assert await ask(reader, writer, "/healthz") == "HTTP/1.1 200 OK"
        assert served.listener.tasks() == 2
        refused, refused_writer = await served.connect()
        assert await first_bytes(refused) == b""
        assert served.listener.gate is not None
        assert served.listener.gate.refused == 1
        for _, writer in (*pairs, (refused, refused_writer)):
            writer.close()
        await served.listener.stop()

    looptime.run(main())


async def first_bytes(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(100)
    except ConnectionResetError:
        return b""


def test_who_says_nothing_for_10_s_is_let_go_and_who_asked_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        served = Served(tmp_path, limit=10)
        await served.listener.start()
        silent, silent_writer = await served.connect()
        slow, slow_writer = await served.connect()
        slow_writer.write(b"GET /healthz HT")
        talker, talker_writer = await served.connect()
        await ask(talker, talker_writer, "/healthz")
        loop = looptime.virtual_loop()
        served.listener.sweep(loop.now_ns() + 9_000_000_000)
        assert served.listener.gate is not None
        assert served.listener.gate.timed_out == 0
        served.listener.sweep(loop.now_ns() + 11_000_000_000)
        assert served.listener.gate.timed_out == 2
        assert (await first_bytes(silent), await first_bytes(slow)) == (b"", b"")
        assert await ask(talker, talker_writer, "/readyz") == "HTTP/1.1 200 OK"
        for writer in (silent_writer, slow_writer, talker_writer):
            writer.close()
        await served.listener.stop()

    looptime.run(main())


def test_what_is_no_http_gets_400_and_hurts_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        served = Served(tmp_path, limit=10)
        await served.listener.start()
        for junk in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
            reader, writer = await served.connect()
            writer.write(junk)
            assert (await reader.read(100)).startswith(b"HTTP/1.")
            writer.close()
        reader, writer = await served.connect()
        assert await ask(reader, writer, "/healthz") == "HTTP/1.1 200 OK"
        writer.close()
        await served.listener.stop()

    looptime.run(main())


def make_certificate(folder: Path) -> tuple[str, str]:
    """(certificate, key) files of a self-signed name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mixer.example")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(private)
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_tls_is_served_with_the_given_certificate(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)

    async def main() -> None:
        served = Served(tmp_path, limit=10, tls=tls_context(cert, key))
        await served.listener.start()
        trust = ssl.create_default_context(cafile=cert)
        trust.check_hostname = False
        host, port = served.socket.getsockname()
        reader, writer = await asyncio.open_connection(host, port, ssl=trust)
        assert await ask(reader, writer, "/healthz") == "HTTP/1.1 200 OK"
        writer.close()
        await served.listener.stop()

    looptime.run(main())


def test_a_key_that_does_not_fit_names_the_options(tmp_path: Path) -> None:
    cert, _ = make_certificate(tmp_path)
    with pytest.raises(ConfigError, match=r"--tls-cert .*--tls-key"):
        tls_context(cert, cert)
