"""Calls of one mixer to another on ``--admin``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp

from voiceroom_mixer.control.admin.trust import Trust
from voiceroom_mixer.control.moving.following import STILL_S, Following

PREFIX: Final = "/admin/v1"
CONNECT_S: Final = 2.0


class Channel:
    """Over one session, with the pool's certificates and a fresh token for each call."""

    def __init__(self, trust: Trust, token: Callable[[], str]) -> None:
        self._trust, self._token = trust, token
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Inside the running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, enable_cleanup_closed=False),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """End all calls."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def follow(self, following: Following, query: Mapping[str, str]) -> None:
        """Read the feed of a room until it ends. Raises ``aiohttp.ClientError``, ``TimeoutError``,
        and what ``Following.read`` raises."""
        assert self._session is not None
        url = f"https://{following.owner}{PREFIX}/rooms/{following.room.name}/feed"
        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=STILL_S)
        async with self._session.get(
            url, params=query, headers=self._headers(), timeout=timeout, **self._secure()
        ) as answer:
            answer.raise_for_status()
            await following.read(answer.content)

    async def order(self, owner: str, room: str, body: Mapping[str, Any], within_s: float) -> int:
        """Tell an owner to stop; the answer's status. Raises ``aiohttp.ClientError``,
        ``TimeoutError``."""
        assert self._session is not None
        async with self._session.post(
            f"https://{owner}{PREFIX}/rooms/{room}/cut",
            json=body,
            headers=self._headers(),
            timeout=aiohttp.ClientTimeout(total=within_s),
            **self._secure(),
        ) as answer:
            await answer.read()
            return answer.status

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}", "Accept-Encoding": "identity"}

    def _secure(self) -> dict[str, Any]:
        return {
            "ssl": self._trust.client(),
            "server_hostname": self._trust.name,
            "allow_redirects": False,
        }
