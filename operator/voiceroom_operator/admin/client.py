"""Calls to the admin listeners of mixer pods."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

import aiohttp

from voiceroom_operator.admin.access import TOKEN_LIFE_S, Access, Address
from voiceroom_operator.edge.clock import Clock

TIMEOUT_S: Final = 3.0
CONNECTIONS: Final = 256
"""To all pods together; kept open between calls."""
MAX_ANSWER_BYTES: Final = 4 << 20
SKEW_S: Final = 30.0
"""Clocks that differ by less are not why a token was refused."""
_UNAUTHORIZED: Final = 401

_log = logging.getLogger(__name__)


class Unreachable(Exception):
    """The pod did not answer; why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP status and JSON, empty when there was none."""

    status: int
    body: Mapping[str, Any]


class Admin(Protocol):
    """What is asked of a pod. Both raise ``Unreachable``."""

    async def status(self, address: Address, access: Access) -> Reply:
        """``GET /admin/v1/status``."""

    async def put(
        self, address: Address, access: Access, what: str, document: Mapping[str, Any]
    ) -> Reply:
        """``PUT /admin/v1/WHAT``: assignment or directory."""


class HttpAdmin:
    """``Admin`` over TLS."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._bearers: dict[str, tuple[float, str]] = {}
        self._behind_s = 0.0
        """The clock here, behind that of mixers: learnt when they refuse a token."""

    async def status(self, address: Address, access: Access) -> Reply:
        """``GET /admin/v1/status``."""
        return await self._call("GET", address, access, "status", None)

    async def put(
        self, address: Address, access: Access, what: str, document: Mapping[str, Any]
    ) -> Reply:
        """``PUT /admin/v1/WHAT``."""
        return await self._call("PUT", address, access, what, json.dumps(document).encode())

    async def close(self) -> None:
        """All connections."""
        if self._session is not None:
            await self._session.close()

    async def _call(
        self, method: str, address: Address, access: Access, what: str, data: bytes | None
    ) -> Reply:
        try:
            async with self._open().request(
                method,
                f"https://{address}/admin/v1/{what}",
                data=data,
                headers=self._headers(access),
                ssl=access.context,
                server_hostname=access.server_name,
                allow_redirects=False,
            ) as response:
                if response.status == _UNAUTHORIZED:
                    self.learn(response.headers.get("Date", ""))
                return Reply(response.status, await _json(response))
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise Unreachable(f"{address}: {error or type(error).__name__}") from error

    def learn(self, date: str) -> None:
        """What time it is for a pod that has refused a token (RFC 9110 §6.6.1): when the clock of
        this machine is wrong, tokens are made by theirs from now on."""
        try:
            behind_s = parsedate_to_datetime(date).timestamp() - self._clock.wall_s()
        except ValueError:
            return
        if abs(behind_s - self._behind_s) >= SKEW_S:
            _log.warning("clocks differ", extra={"behind_s": round(behind_s)})
            self._behind_s = behind_s

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _headers(self, access: Access) -> dict[str, str]:
        now_s = self._clock.wall_s() + self._behind_s
        made_s, bearer = self._bearers.get(access.key.kid, (float("-inf"), ""))
        if not 0 <= now_s - made_s < TOKEN_LIFE_S / 2:
            self._bearers = {
                kid: kept for kid, kept in self._bearers.items() if now_s - kept[0] < TOKEN_LIFE_S
            }
            bearer = access.bearer(now_s)
            self._bearers[access.key.kid] = (now_s, bearer)
        return {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}


async def _json(response: aiohttp.ClientResponse) -> Mapping[str, Any]:
    raw = await whole(response.content)
    try:
        body = None if raw is None else json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def whole(stream: aiohttp.StreamReader) -> bytes | None:
    """To its end, in however many pieces it comes; None = it is longer than an answer may be."""
    pieces: list[bytes] = []
    left = MAX_ANSWER_BYTES
    while piece := await stream.readany():
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            return None
    return b"".join(pieces)
