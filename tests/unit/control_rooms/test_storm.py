"""Coming and going a thousand times leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os

from fakes.building import MODERATOR, building, claims, room, run


def test_a_thousand_joins_and_leaves_leave_no_task_slot_or_descriptor() -> None:
    async def scenario() -> None:
        async with building(room("lobby", maxParticipants=100)) as house:
            first = await house.join(claims("first"))
            house.key(first.leg)
            gc.collect()  # descriptors of other tests
            before = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())
            high = 0
            for n in range(100):
                joined = [await house.join(claims(f"p{k}")) for k in range(5)]
                made = [await house.gateway(port=7000 + n * 5 + k) for k in range(5)]
                for leg in house.media.legs()[1:4]:
                    house.media.say_dtls(leg, b"\x16\xfe\xfdnoise")
                await house.hear_media()
                for one in joined:
                    who = MODERATOR if n % 2 else claims(house.media.leg(one.leg).identity)
                    await house.rooms.remove_leg("lobby", one.leg, who)
                for gateway in made:
                    await house.rooms.remove_leg("lobby", gateway["id"], MODERATOR)
                house.media.look()
                high = max(high, house.media.segment.tables["legs"].high)
                house.clocks.now += 70_000_000_000
                house.rooms.reaper.look(house.clocks.now)
            await house.hear_media()
            assert house.people() == ["first"]
            assert (len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())) == before
            assert high <= 22, "few rows are ever touched"
            assert len(house.rooms._registry._ghosts) <= 10
            assert house.rooms.expected_tasks() == 1

    run(scenario)
