"""A room's event stream as a client without a library reads it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.door import Door


@dataclass(frozen=True)
class Event:
    """One journalled event."""

    id: int
    kind: str
    data: dict[str, Any]


@contextmanager
def events(
    mixer: Door, token: str, room: str = "lobby", last_id: str = ""
) -> Iterator[Iterator[Event]]:
    """The events with an id, as they come."""
    with _stream(mixer, token, room, last_id) as blocks:
        yield _journalled(blocks)


@contextmanager
def live_figures(
    mixer: Door, token: str, kind: str, room: str = "lobby"
) -> Iterator[Iterator[Any]]:
    """The data of events of that kind, which have no id, as they come."""
    with _stream(mixer, token, room, "") as blocks:
        yield (json.loads(block["data"]) for block in blocks if block.get("event") == kind)


@contextmanager
def _stream(mixer: Door, token: str, room: str, last_id: str) -> Iterator[Iterator[dict[str, str]]]:
    where = urlsplit(mixer.base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    headers = {"Last-Event-ID": last_id} if last_id else {}
    connection.request("GET", f"/rooms/{room}/events?token={token}", headers=headers)
    stream = connection.getresponse()
    assert stream.status == 200
    try:
        yield _blocks(stream)
    finally:
        stream.close()
        connection.close()


def _blocks(stream: http.client.HTTPResponse) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    while line := stream.readline():
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name or value:
            block[name] = value.strip()
        else:
            yield block
            block = {}


def _journalled(blocks: Iterator[dict[str, str]]) -> Iterator[Event]:
    for block in blocks:
        if "event" in block and "id" in block:
            yield Event(int(block["id"]), block["event"], json.loads(block["data"]))


def until_event(stream: Iterator[Event], kind: str, **data: Any) -> Event:
    """The next one of that kind with these fields; the connection's timeout ends the wait."""
    return next(e for e in stream if e.kind == kind and data.items() <= e.data.items())
