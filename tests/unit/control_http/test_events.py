"""The event stream over a real socket: ids, resume, comments, slow readers (contract §4)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp.client import ClientResponse

from fakes.door import Door, with_door


async def listen(door: Door, *, last_id: str | None = None, token: str = "") -> ClientResponse:
    """An open stream."""
    headers = {"Last-Event-ID": last_id} if last_id is not None else {}
    token = token or door.token("listener")
    return await door.client.get(f"/rooms/lobby/events?token={token}", headers=headers)


async def message(stream: ClientResponse) -> dict[str, str]:
    """The next block of the stream by field."""
    block = await stream.content.readuntil(b"\n\n")
    lines = (line.partition(":") for line in block.decode().strip().splitlines())
    return {name: value.strip() for name, _, value in lines}


def test_events_come_with_ids_and_only_of_the_own_room(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.bus.publish("lobby", "joined", {"id": "before"})
        stream = await listen(door)
        assert stream.content_type == "text/event-stream"
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert await message(stream) == {"retry": "300", "id": "1"}
        door.bus.publish("hall", "joined", {"id": "a"})
        door.bus.publish("lobby", "joined", {"id": "b"})
        assert await message(stream) == {"id": "3", "event": "joined", "data": '{"id":"b"}'}
        stream.close()

    with_door(tmp_path, scenario)


def test_a_reader_resumes_after_the_last_id_that_it_has_seen(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for leg in "abc":
            door.bus.publish("lobby", "joined", {"id": leg})
        stream = await listen(door, last_id="1")
        await message(stream)
        assert [(await message(stream))["id"] for _ in range(2)] == ["2", "3"]
        stream.close()

    with_door(tmp_path, scenario)


def test_a_gap_beyond_the_journal_is_told_as_a_reset(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for number in range(20):
            door.bus.publish("lobby", "joined", {"id": str(number)})
        for last_id in ("1", "nonsense", "999", "9" * 30):
            stream = await listen(door, last_id=last_id)
            await message(stream)
            assert await message(stream) == {"id": "20", "event": "reset", "data": "{}"}
            stream.close()

    with_door(tmp_path, scenario)


def test_a_silent_room_is_told_every_15_s_that_the_stream_is_there(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        stream = await listen(door)
        await message(stream)
        began = asyncio.get_running_loop().time()
        for round_number in (1, 2):
            assert await message(stream) == {"": "here"}
            passed = asyncio.get_running_loop().time() - began
            assert round(passed, 3) == 15.0 * round_number
        stream.close()

    with_door(tmp_path, scenario)


def test_a_slow_reader_is_cut_off_and_counted_and_nobody_waits(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        slow, quick = await listen(door), await listen(door)
        for reader in (slow, quick):
            await message(reader)
        heavy = {"text": "x" * 400_000}
        for _ in range(60):
            door.bus.publish("lobby", "heavy", heavy)
            while (await message(quick)).get("event") != "heavy":
                pass
        assert door.bus.cut_off == 1
        assert door.bus.dropped >= 5
        assert door.bus.subscribers() == 1
        again = await listen(door, last_id="1")
        await message(again)
        assert (await message(again))["event"] == "reset"
        for reader in (slow, quick, again):
            reader.close()

    with_door(tmp_path, scenario)


def test_closed_is_the_last_event(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        stream = await listen(door)
        await message(stream)
        door.bus.publish("lobby", "closed", {})
        assert (await message(stream))["event"] == "closed"
        assert await stream.content.read() == b""
        assert door.bus.subscribers() == 0

    with_door(tmp_path, scenario)


def test_who_is_kicked_hears_it_and_then_nothing_more(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        stream = await listen(door, token=door.token(jti="t9"))
        await message(stream)
        door.service.revoked.add("t9")
        door.bus.publish("lobby", "kicked", {"id": "leg-1"})
        assert (await message(stream))["event"] == "kicked"
        assert await stream.content.read() == b""

    with_door(tmp_path, scenario)


def test_the_process_ends_its_streams(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        stream = await listen(door)
        await message(stream)
        door.bus.end_all()
        assert await stream.content.read() == b""

    with_door(tmp_path, scenario)


def test_a_stream_takes_a_token_of_the_room(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert (await listen(door, token=door.token(room="hall"))).status == 403
        assert (await door.client.get("/rooms/lobby/events")).status == 401
        assert door.bus.subscribers() == 0

    with_door(tmp_path, scenario)
