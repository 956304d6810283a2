"""A namespace as it is on record: what has not changed is the same value again."""

import asyncio
from typing import Any

from fakes.looptime import run
from fakes.town import NAMESPACE, Town
from voiceroom_operator.cluster.kinds import PODS, ROOMS
from voiceroom_operator.round.eyes import Eyes
from voiceroom_operator.round.seen import Seen


class Window:
    """A town that is settled, and the operator's eyes on it."""

    def __init__(self) -> None:
        self.town = Town()
        self.operator = self.town.start()

    async def settled(self) -> "Window":
        self.town.room("a")
        self.town.room("b")
        await self.town.ready("a", "b")
        await asyncio.sleep(30)
        return self

    @property
    def eyes(self) -> Eyes:
        return self.operator._reconciler._parts.eyes

    def see(self) -> Seen:
        return self.eyes.see(NAMESPACE)


def test_nothing_is_made_anew_while_nothing_happens() -> None:
    async def scene() -> None:
        window = await Window().settled()
        before = window.see()
        await asyncio.sleep(90)
        after = window.see()
        for kind in ("rooms", "pods"):
            known: dict[str, Any] = getattr(before, kind)
            assert known
            for name, record in getattr(after, kind).items():
                assert record is known[name]
        await window.town.stop()

    run(scene())


def test_what_is_new_is_seen() -> None:
    async def scene() -> None:
        window = await Window().settled()
        before = window.see()
        pod = window.town.status("a")["podName"]
        window.town.mixer(pod).people["a"] = 3
        window.town.api.change(ROOMS, NAMESPACE, "b", {"spec": {"placement": "Dedicated"}})
        await asyncio.sleep(2)
        after = window.see()
        assert after.rooms["a"].seen.legs == 3
        assert after.rooms["b"].seen.dedicated
        assert after.pods[pod] is not before.pods[pod]
        window.town.mixer(pod).silent = True
        await asyncio.sleep(4)
        silent = window.see().pods[pod].seen.silent_s
        assert silent > 2
        await asyncio.sleep(2)
        assert window.see().pods[pod].seen.silent_s > silent
        await window.town.stop()

    run(scene())


def test_what_is_gone_is_forgotten() -> None:
    async def scene() -> None:
        window = await Window().settled()
        eyes = window.eyes
        assert len(eyes._room_specs._known) == 2
        window.town.api.vanish(ROOMS, NAMESPACE, "a")
        window.town.api.remove(PODS, NAMESPACE, window.town.status("b")["podName"])
        await asyncio.sleep(90)
        rooms = window.town.api.bodies(ROOMS)
        uids = {body["metadata"]["uid"] for body in rooms.values()}
        assert set(eyes._room_specs._known) == uids
        assert set(eyes.see(NAMESPACE).rooms) == {"b"}
        assert len(eyes._pod_records) == 2
        await window.town.stop()

    run(scene())
