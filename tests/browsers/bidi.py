"""A small client of WebDriver BiDi over a websocket, with the calls that the tests need."""

from __future__ import annotations

import itertools
import json
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

MAX_MESSAGE_BYTES = 16 << 20


class BidiError(Exception):
    """The browser refused a command."""


class Bidi:
    """One connection. Commands wait for their answer; events are not asked for."""

    def __init__(self, http: ClientSession, socket: ClientWebSocketResponse) -> None:
        self._http = http
        self._socket = socket
        self._ids = itertools.count(1)

    @classmethod
    async def connect(cls, url: str) -> Bidi:
        """Connect and begin a session."""
        http = ClientSession()
        try:
            socket = await http.ws_connect(f"{url}/session", max_msg_size=MAX_MESSAGE_BYTES)
        except BaseException:
            await http.close()
            raise
        bidi = cls(http, socket)
        await bidi.send("session.new", capabilities={})
        return bidi

    async def close(self) -> None:
        """Let go of the connection; the browser is ended by its process."""
        await self._socket.close()
        await self._http.close()

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of one command. Raises ``BidiError``."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = await self._socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise BidiError(f"{method}: the connection ended ({message.type.name})")
            answer = json.loads(message.data)
            if answer.get("id") != number:
                continue
            if answer["type"] != "success":
                raise BidiError(f"{method}: {answer['error']}: {answer['message']}")
            result: dict[str, Any] = answer["result"]
            return result

    async def first_context(self) -> str:
        """The id of the first tab."""
        tree = await self.send("browsingContext.getTree")
        return str(tree["contexts"][0]["context"])

    async def evaluate(self, context: str, expression: str) -> Any:
        """The value of an expression, by way of JSON; a promise is awaited."""
        wrapped = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        answer = await self.send(
            "script.evaluate",
            expression=wrapped,
            target={"context": context},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] != "success":
            raise BidiError(f"{expression[:80]}: {answer['exceptionDetails']['text']}")
        return json.loads(answer["result"]["value"])
