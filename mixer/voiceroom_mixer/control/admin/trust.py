"""TLS between the operator and the mixers of a pool (contract §2): TLS 1.3, both sides verified.

Read again when the files change: connections that stand go on, new ones use the new material. A
change that cannot be read (half of it is there yet) leaves the old in force, and is tried again.
"""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from voiceroom_mixer.config import CA_FILE, CERT_FILE, KEY_FILE, AdminTls, ConfigError, PodPlace
from voiceroom_mixer.control.service import ApiError

_log = logging.getLogger(__name__)
_Stamp = tuple[tuple[int, int, int], ...]
_ALPN: Final = ["http/1.1"]


def pool_files(place: PodPlace) -> AdminTls:
    """Of the pool's Secret."""
    folder = Path(place.pool_dir)
    return AdminTls(*(str(folder / name) for name in (CERT_FILE, KEY_FILE, CA_FILE)))


class Trust:
    """``server`` is for the listener and stays the same object; ``client()`` is for a request."""

    def __init__(self, files: AdminTls, name: str = "") -> None:
        """``name``: what both sides' certificates must be for; empty = the CA is enough.

        Raises ``ConfigError`` when the files cannot be used.
        """
        self._files, self.name = files, name
        self._stamp = self._look()
        self.reloads = 0
        self.failures = 0
        """Changes that could not be read."""
        self._last_error = ""
        try:
            self._server, self._client = self._load()
        except OSError as error:  # ssl.SSLError is one
            shown = f"{files.cert}, {files.key}, {files.ca}"
            raise ConfigError(f"{shown}: cannot be used for --admin: {error}") from error
        self.server = _server_context(files)
        self.server.sni_callback = self._newest

    def client(self) -> ssl.SSLContext:
        """For a new connection to another pod."""
        return self._client

    def _newest(self, connection: Any, _sni: str | None, _context: ssl.SSLContext) -> None:
        """Called for each new connection, whether the client names a host or not."""
        connection.context = self._server

    def look(self) -> None:
        """Take up changed files; call it about once a second."""
        stamp = self._look()
        if stamp == self._stamp:
            return
        try:
            self._server, self._client = self._load()
        except OSError as error:
            if str(error) != self._last_error:
                self.failures += 1
                self._last_error = str(error)
                _log.warning("the pool's TLS files have changed and cannot be used: %s", error)
            return
        self._stamp, self._last_error = stamp, ""
        self.reloads += 1
        _log.info("the pool's TLS files were read again")

    def _load(self) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        return _server_context(self._files), _client_context(self._files)

    def _look(self) -> _Stamp:
        found = []
        for path in (self._files.cert, self._files.key, self._files.ca):
            try:
                status = os.stat(path)
            except OSError:
                continue  # in the middle of a change: another stamp, hence another look
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
        return tuple(found)

    def require_name(self, request: web.Request) -> None:
        """Refuse a client whose certificate is for another name. Raises ``ApiError`` 403."""
        transport = request.transport
        shown = transport.get_extra_info("peercert") if transport is not None else None
        names = {value for kind, value in (shown or {}).get("subjectAltName", ()) if kind == "DNS"}
        if self.name and self.name not in names:
            message = f"the client's certificate is not for {self.name}"
            raise ApiError(403, "wrong_certificate", message)


def _server_context(files: AdminTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    # a session taken up again would outlive the certificate that it began with
    context.num_tickets = 0
    return _furnished(context, files)


def _client_context(files: AdminTls) -> ssl.SSLContext:
    return _furnished(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), files)


def _furnished(context: ssl.SSLContext, files: AdminTls) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(files.cert, files.key, password="")
    context.load_verify_locations(files.ca)
    context.set_alpn_protocols(_ALPN)
    return context
