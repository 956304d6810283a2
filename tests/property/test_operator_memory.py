"""What the operator keeps to save work is never stale: a town whose operator forgets everything
between two rounds comes to the same in every respect."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.looptime import run
from fakes.town import NAMESPACE, Town
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import NODES, PODS, POOLS, ROOMS
from voiceroom_operator.running.operator import Operator

HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "apply",
                "apply",
                "delete",
                "enlarge",
                "dedicate",
                "elsewhere",
                "join",
                "silence",
                "restart",
                "evict",
                "cordon",
                "uncordon",
                "publish",
                "ask",
                "falter",
                "wait",
            ]
        ),
        st.integers(0, 7),
        st.sampled_from([0.0, 0.03, 0.7, 4.0, 12.0]),
    ),
    min_size=1,
    max_size=14,
)


class Story:
    """A town to which things happen."""

    def __init__(self) -> None:
        self.town = Town()
        self.made = 0

    def tell(self, what: str, which: int) -> None:
        getattr(self, what)(which)

    def _spec(self, kind: Any, names: list[str], which: int, spec: dict[str, Any]) -> None:
        if names:
            self.town.api.change(kind, NAMESPACE, names[which % len(names)], {"spec": spec})

    def _rooms(self) -> list[str]:
        return sorted(self.town.api.bodies(ROOMS, NAMESPACE))

    def _mixers(self, which: int) -> Any:
        ready = [name for name, body in sorted(self.town.pods().items()) if "status" in body]
        known = [name for name in ready if self._address(name) in self.town.mixers.by_address]
        return self.town.mixer(known[which % len(known)]) if known else None

    def _address(self, pod: str) -> str:
        return f"{self.town.pods()[pod]['status'].get('podIP')}:8443"

    def apply(self, which: int) -> None:
        self.made += 1
        self.town.room(f"r{self.made}", poolName=["default", "default", "other"][which % 3])

    def delete(self, which: int) -> None:
        rooms = self._rooms()
        if rooms:
            self.town.api.remove(ROOMS, NAMESPACE, rooms[which % len(rooms)])

    def enlarge(self, which: int) -> None:
        self._spec(ROOMS, self._rooms(), which, {"maxParticipants": 100 + which})

    def dedicate(self, which: int) -> None:
        self._spec(ROOMS, self._rooms(), which, {"placement": "Dedicated"})

    def elsewhere(self, which: int) -> None:
        self._spec(ROOMS, self._rooms(), which, {"poolName": "other"})

    def join(self, which: int) -> None:
        mixer, rooms = self._mixers(which), self._rooms()
        if mixer is not None and rooms:
            mixer.people[rooms[which % len(rooms)]] = which

    def silence(self, which: int) -> None:
        mixer = self._mixers(which)
        if mixer is not None:
            mixer.silent = not mixer.silent

    def restart(self, which: int) -> None:
        mixer = self._mixers(which)
        if mixer is not None:
            mixer.restart()

    def evict(self, which: int) -> None:
        pods = sorted(self.town.pods())
        if pods:
            self.town.api.remove(PODS, NAMESPACE, pods[which % len(pods)])

    def cordon(self, which: int) -> None:
        self.town.api.change(NODES, "", f"node-{which % 2}", {"spec": {"unschedulable": True}})

    def uncordon(self, which: int) -> None:
        self.town.api.change(NODES, "", f"node-{which % 2}", {"spec": {"unschedulable": None}})

    def publish(self, which: int) -> None:
        url = {"network": {"publicURL": f"https://voice{which}.example.org"}}
        self._spec(POOLS, ["default"], 0, url)

    def ask(self, which: int) -> None:
        """A person wants a room elsewhere."""
        rooms = self._rooms()
        said = json.dumps({"id": f"ask-{which}", "why": "to see", "to": f"node-{which % 2}"})
        patch = {"metadata": {"annotations": {names.MOVE_ANNOTATION: said}}}
        if rooms:
            self.town.api.change(ROOMS, NAMESPACE, rooms[which % len(rooms)], patch)

    def falter(self, which: int) -> None:
        """A mixer does not keep time for a while."""
        mixer, now_s = self._mixers(which), asyncio.get_running_loop().time()
        if mixer is not None:
            mixer.late.append((now_s, now_s + 8.0))

    def wait(self, which: int) -> None:
        """Nothing happens."""

    def end(self) -> dict[str, Any]:
        """All that there is."""
        kinds = (ROOMS, POOLS, PODS)
        found: dict[str, Any] = {kind.plural: self.town.api.bodies(kind) for kind in kinds}
        mixers = self.town.mixers.by_address.items()
        found["told"] = {str(address): (m.rooms, m.settings, m.places) for address, m in mixers}
        return found


def forgetful(operator: Operator) -> None:
    """Nothing is known from one round to the next."""
    work, reconciler = operator._work, operator._reconciler

    async def anew(namespace: str) -> float | None:
        reconciler.forget()
        return await reconciler(namespace)

    work._reconcile = anew


def lived(happenings: list[tuple[str, int, float]], *, forgets: bool) -> dict[str, Any]:
    async def scene() -> dict[str, Any]:
        story = Story()
        story.town.pool(capacity={"rooms": 3})
        story.town.pool("other", size={"min": 1, "max": 3, "spare": 0})
        operator = story.town.start()
        if forgets:
            forgetful(operator)
        for what, which, pause_s in happenings:
            story.tell(what, which)
            await asyncio.sleep(pause_s)
        await asyncio.sleep(75)
        end = story.end()
        await story.town.stop()
        return end

    return run(scene())


@settings(max_examples=25)
@given(HAPPENINGS)
def test_who_remembers_decides_as_who_does_not(happenings: list[tuple[str, int, float]]) -> None:
    assert lived(happenings, forgets=False) == lived(happenings, forgets=True)
