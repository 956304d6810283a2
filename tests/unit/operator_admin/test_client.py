"""Answers of pods, in however many pieces they come."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol

from voiceroom_operator.admin import client


def read(*pieces: bytes) -> bytes | None:
    async def scene() -> bytes | None:
        loop = asyncio.get_running_loop()
        protocol = BaseProtocol(loop)
        protocol.connection_made(Mock(spec=asyncio.Transport))
        stream = aiohttp.StreamReader(protocol, limit=1 << 16, loop=loop)
        reading = asyncio.ensure_future(client.whole(stream))
        for piece in pieces:
            stream.feed_data(piece)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        stream.feed_eof()
        return await reading

    return asyncio.run(scene())


@pytest.mark.parametrize("pieces", [(), (b"{}",), (b'{"rooms": [', b'{"name": "a"}', b"]}")])
def test_an_answer_is_read_to_its_end(pieces: tuple[bytes, ...]) -> None:
    assert read(*pieces) == b"".join(pieces)


def test_an_endless_answer_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", 10)
    assert read(b"x" * 6, b"x" * 4) == b"x" * 10
    assert read(b"x" * 6, b"x" * 5) is None
    assert asyncio.run(client._json(Mock(content=_Endless()))) == {}


class _Endless:
    async def readany(self) -> bytes:
        return b"xxxxx"
