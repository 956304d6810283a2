"""Watch streams run where the user of the process has no name, as in the image, and end alone."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable, Coroutine
from typing import Any

import kopf
import pytest
from kopf._core.engines import peering
from kubernetes.aio.client import Configuration

from voiceroom_operator.cluster.kinds import WATCHED
from voiceroom_operator.cluster.streams import Streams

Root = Coroutine[Any, Any, None]


def _nameless() -> str:
    raise KeyError("getpwuid(): uid not found: 20478")


def spawns(*roots: Callable[[], Root], told: dict[str, Any]) -> Callable[..., Any]:
    """In place of ``kopf.spawn_tasks``."""

    async def spawn(**options: Any) -> list[asyncio.Task[None]]:
        options["identity"] = options.get("identity") or peering.detect_own_id(manual=False)
        told.update(options)
        return [asyncio.create_task(root(), name=NAMES.get(root)) for root in roots]

    return spawn


def streams() -> Streams:
    return Streams(Configuration(), ("voice",), lambda *_: None)


async def stop_flag() -> None:
    """Ends at once: the process is to end."""


async def nothing() -> None:
    """Ends at once, and ought not to."""


async def for_ever() -> None:
    await asyncio.Event().wait()


async def give_up() -> None:
    await asyncio.sleep(0)
    raise RuntimeError("429")


NAMES: dict[Callable[[], Root], str] = {stop_flag: "stop-flag checker"}
"""Of kopf's tasks."""


def test_the_user_of_the_process_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", _nameless)
    told: dict[str, Any] = {}
    monkeypatch.setattr(kopf, "spawn_tasks", spawns(stop_flag, told=told))
    asyncio.run(streams().run(WATCHED, asyncio.Event()))
    assert (told["standalone"], told["namespaces"]) == (True, ("voice",))


def test_streams_that_give_up_take_nobody_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kopf, "spawn_tasks", spawns(for_ever, give_up, told={}))

    async def scene() -> None:
        running = asyncio.create_task(streams().run(WATCHED, asyncio.Event()))
        bystander = asyncio.create_task(for_ever())
        with pytest.raises(RuntimeError, match="429"):
            await running
        assert asyncio.all_tasks() == {bystander, asyncio.current_task()}
        bystander.cancel()

    asyncio.run(scene())


def test_streams_that_are_cancelled_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        begun = asyncio.Event()

        async def root() -> None:
            begun.set()
            await for_ever()

        monkeypatch.setattr(kopf, "spawn_tasks", spawns(for_ever, root, told={}))
        running = asyncio.create_task(streams().run(WATCHED, asyncio.Event()))
        await begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scene())


def test_a_part_of_them_that_just_ends_does_not_end_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kopf, "spawn_tasks", spawns(for_ever, nothing, told={}))
    with pytest.raises(RuntimeError, match="ended"):
        asyncio.run(streams().run(WATCHED, asyncio.Event()))
