"""Watch streams run where the user of the process has no name, as in the image."""

from __future__ import annotations

import asyncio
import getpass
from typing import Any

import kopf
import pytest
from kopf._core.engines import peering
from kubernetes.aio.client import Configuration

from voiceroom_operator.cluster.kinds import WATCHED
from voiceroom_operator.cluster.streams import Streams


def _nameless() -> str:
    raise KeyError("getpwuid(): uid not found: 20478")


def test_the_user_of_the_process_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", _nameless)
    told: dict[str, Any] = {}

    async def operator(**options: Any) -> None:
        options["identity"] = options.get("identity") or peering.detect_own_id(manual=False)
        told.update(options)

    monkeypatch.setattr(kopf, "operator", operator)
    streams = Streams(Configuration(), ("voice",), lambda *_: None)
    asyncio.run(streams.run(WATCHED, asyncio.Event()))
    assert (told["standalone"], told["namespaces"]) == (True, ("voice",))
