"""A whole operator on an API server in memory, with pods that start and mixers that answer.

Time is virtual: run it on ``looptime``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from fakes.apiserver import FakeApi
from fakes.mixers import FakeMixer, FakeMixers
from voiceroom_api import names
from voiceroom_operator.children.pod import PodDefaults
from voiceroom_operator.cluster.api import Api, ApiError, Body
from voiceroom_operator.cluster.kinds import EVENTS, NODES, PODS, POOLS, ROOMS, Kind
from voiceroom_operator.limits import Limits
from voiceroom_operator.reading.cpu import cpu_limit
from voiceroom_operator.rights import RIGHTS
from voiceroom_operator.round.saying import REASONS
from voiceroom_operator.running.meters import Meters
from voiceroom_operator.running.operator import Operator, World
from voiceroom_operator.running.process import policy
from voiceroom_operator.settings import Settings

NAMESPACE = "voice"
UNIX_S = 1_800_000_000.0
START_S = 1.0
END_S = 0.5
RESIZE_S = 1.5
"""From a raised limit to the quota that is set."""
GRANTED = {
    (right.group, right.resource, verb)
    for right in RIGHTS
    for verb in right.verbs
    if right.scope != "taints"
}
"""What the chart's roles allow: a group, a resource and a verb."""
TAINTS = {("", "nodes", "patch")}
"""And where its switch allows taints."""


def settings(**changed: Any) -> Settings:
    usual: dict[str, Any] = {
        "namespaces": (NAMESPACE,),
        "own_namespace": "system",
        "lease_name": "voiceroom-operator",
        "identity": "",
        "host": "127.0.0.1",
        "port": 0,
        "alerts": None,
        "taint_nodes": False,
        "pods": PodDefaults("registry.example.org/voiceroom:1"),
        "default_pool": {"size": {"min": 2, "spare": 0}, "drain": {"deadline": "30s"}},
        "network_policy": False,
        "scraper_namespaces": (),
        "log_format": "text",
        "log_level": "warning",
    }
    return Settings(**(usual | changed))


class LoopClock:
    """The event loop's time; Unix time can be stepped."""

    def __init__(self) -> None:
        self.step_s = 0.0
        self.stall_s = 0.0
        """Every sleep ends so much too late: the process gets no CPU."""
        self.works = True
        """All time is spent at work, none with waiting."""

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def unix_s(self) -> float:
        return UNIX_S + asyncio.get_running_loop().time() + self.step_s

    def wall_s(self) -> float:
        return self.unix_s()

    def cpu_s(self) -> float:
        return self.monotonic_s() if self.works else 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds + self.stall_s)


class FakeStreams:
    """Passes on what the API server says; can go deaf, and break."""

    def __init__(self, api: FakeApi, on_event: Callable[[Kind, str | None, Body], None]) -> None:
        self._api = api
        self._on_event = on_event
        self.deaf = False
        self.runs = 0
        self.fails: list[Exception] = []

    async def run(self, kinds: Collection[Kind], stop: asyncio.Event) -> None:
        self.runs += 1
        if self.fails:
            raise self.fails.pop()
        allowed = set(kinds)
        self.deaf = False

        def watch(kind: Kind, type_: str | None, body: Body) -> None:
            if kind in allowed and not self.deaf:
                self._on_event(kind, type_, body)

        self._api.watchers.append(watch)
        try:
            await stop.wait()
        finally:
            self._api.watchers.remove(watch)


class FakeKubelet:
    """Pods get a node and start; deleted ones end."""

    def __init__(self, api: FakeApi, mixers: FakeMixers, nodes: int = 2) -> None:
        self._api = api
        self._mixers = mixers
        self.nodes = [f"node-{i}" for i in range(nodes)]
        self.made = 0
        self.idle = False
        """New pods stay Pending."""
        self.patient = False
        """Pods that are deleted take their time."""
        self.pending = ""
        """Why it changes no pod's resources in place: Deferred, Infeasible."""
        self.resizes = True
        for name in self.nodes:
            addresses = [{"type": "InternalIP", "address": f"192.0.2.{len(name)}"}]
            ready = [{"type": "Ready", "status": "True"}]
            api.put(NODES, "", name, spec={}, status={"addresses": addresses, "conditions": ready})
        api.watchers.append(self._see)

    def _see(self, kind: Kind, event: str | None, body: Body) -> None:
        if kind is not PODS or event == "DELETED":
            return
        loop = asyncio.get_running_loop()
        metadata = body["metadata"]
        key = (metadata["namespace"], metadata["name"], metadata["uid"])
        if "deletionTimestamp" in metadata:
            if self.patient:
                return
            loop.call_later(END_S, self._end, *key)
        elif "nodeName" not in body["spec"] and not self.idle:
            loop.call_later(START_S, self._start, *key)
        elif event == "MODIFIED" and self._limit_m(body) != self._quota_m(body):
            loop.call_later(RESIZE_S, self._resize, *key)

    def _limit_m(self, body: Body) -> int:
        return cpu_limit(body, None).limit_m

    def _quota_m(self, body: Body) -> int:
        mixer = self._mixers.by_address.get(_address(body))
        return round(1000 * mixer.realtime.get("quotaCpus", 0.0)) if mixer else 0

    def _resize(self, namespace: str, name: str, uid: str) -> None:
        body = self._api.bodies(PODS, namespace).get(name)
        if body is None or body["metadata"]["uid"] != uid:
            return
        if self.pending:
            why = {"type": "PodResizePending", "status": "True", "reason": self.pending}
            ready = [{"type": "Ready", "status": "True"}, why | {"message": "the node is full"}]
            self._api.change(PODS, namespace, name, {"status": {"conditions": ready}})
        elif self.resizes and (mixer := self._mixers.by_address.get(_address(body))):
            mixer.limit(self._limit_m(body) / 1000)

    def _start(self, namespace: str, name: str, uid: str) -> None:
        body = self._api.bodies(PODS, namespace).get(name)
        if body is None or body["metadata"]["uid"] != uid or "nodeName" in body["spec"]:
            return
        node = self._place(body)
        if not node:
            return
        self.made += 1
        ip = f"10.0.{self.made // 250}.{self.made % 250 + 1}"
        self._mixers.at(f"{ip}:8443").limit(self._limit_m(body) / 1000)
        status = {
            "phase": "Running",
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        self._api.change(PODS, namespace, name, {"spec": {"nodeName": node}, "status": status})

    def _place(self, body: Mapping[str, Any]) -> str:
        """By turns, as far as the pod's affinity allows."""
        affinity = body["spec"].get("affinity") or {}
        required = affinity.get("nodeAffinity", {}).get(
            "requiredDuringSchedulingIgnoredDuringExecution", {}
        )
        avoided = {
            name
            for term in required.get("nodeSelectorTerms", ())
            for rule in term.get("matchExpressions", ())
            if rule["operator"] == "NotIn"
            for name in rule["values"]
        }
        open_ = [node for node in self.nodes if node not in avoided]
        return open_[(self.made + 1) % len(open_)] if open_ else ""

    def _end(self, namespace: str, name: str, uid: str) -> None:
        body = self._api.bodies(PODS, namespace).get(name)
        if body is not None and body["metadata"]["uid"] == uid:
            self._mixers.by_address.pop(f"{(body.get('status') or {}).get('podIP')}:8443", None)
            self._api.vanish(PODS, namespace, name)


def _address(body: Body) -> str:
    return f"{(body.get('status') or {}).get('podIP')}:8443"


class Town:
    """The cluster, and the operators in it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits(moves=4)
        self.clock = LoopClock()
        self.api = FakeApi(self.clock.unix_s)
        self.mixers = FakeMixers()
        self.kubelet = FakeKubelet(self.api, self.mixers)
        self.granted = GRANTED
        self.streams: list[FakeStreams] = []
        self.operators: list[tuple[Operator, asyncio.Event, asyncio.Task[None]]] = []

    def start(
        self,
        replica: str = "one",
        api: Api | None = None,
        clock: LoopClock | None = None,
        **changed: Any,
    ) -> Operator:
        """One more replica; ``clock``: one of its own."""

        def streams(on_event: Callable[[Kind, str | None, Body], None]) -> FakeStreams:
            self.streams.append(FakeStreams(self.api, on_event))
            return self.streams[-1]

        world = World(
            api or self.api, self.mixers, clock or self.clock, streams, limits=self.limits
        )
        self.granted = self.granted | (TAINTS if changed.get("taint_nodes") else set())
        start = len(self.operators)
        made = settings(**changed)
        operator = Operator(made, world, Meters(), f"{replica}_{start}", policy(made))
        stop = asyncio.Event()
        task = asyncio.ensure_future(operator.run(stop))
        self.operators.append((operator, stop, task))
        return operator

    async def stop(self) -> None:
        """All replicas, in order."""
        for _, stop, _ in self.operators:
            stop.set()
        await asyncio.gather(*(task for *_, task in self.operators))
        self.operators.clear()
        assert self.api.used <= self.granted
        assert self.reasons() <= REASONS.keys()

    async def kill(self) -> None:
        """All replicas, at once and for good: nothing is released."""
        before, self.api.before = self.api.before, _dead
        for *_, task in self.operators:
            task.cancel()
        await asyncio.gather(*(task for *_, task in self.operators), return_exceptions=True)
        self.operators.clear()
        self.api.before = before

    def room(self, name: str = "standup", **spec: Any) -> None:
        self.api.put(ROOMS, NAMESPACE, name, spec=spec)

    def pool(self, name: str = "default", **spec: Any) -> None:
        usual = {"size": {"min": 2, "spare": 0}, "drain": {"deadline": "30s"}}
        self.api.put(POOLS, NAMESPACE, name, spec=usual | spec)

    def status(self, name: str = "standup") -> Mapping[str, Any]:
        return self.api.bodies(ROOMS, NAMESPACE)[name].get("status") or {}

    def pool_status(self, name: str = "default") -> Mapping[str, Any]:
        return self.api.bodies(POOLS, NAMESPACE)[name].get("status") or {}

    def phase(self, name: str = "standup") -> str:
        return str(self.status(name).get("phase", ""))

    def pods(self) -> dict[str, dict[str, Any]]:
        return self.api.bodies(PODS, NAMESPACE)

    def mixer(self, pod: str) -> FakeMixer:
        """Of the pod of this name."""
        return self.mixers.by_address[f"{self.pods()[pod]['status']['podIP']}:8443"]

    def owners(self, room: str = "standup") -> list[str]:
        """Pods whose mixers run the room."""
        alive = [
            pod
            for pod, body in self.pods().items()
            if f"{(body.get('status') or {}).get('podIP')}:8443" in self.mixers.by_address
        ]
        return [pod for pod in alive if room in self.mixer(pod).owned()]

    def reasons(self) -> set[str]:
        """Of all Events."""
        return {body["reason"] for body in self.api.bodies(EVENTS).values()}

    def on(self, node: str) -> list[str]:
        """Pods on the node."""
        return [name for name, body in self.pods().items() if body["spec"].get("nodeName") == node]

    def node_of(self, pod: str) -> str:
        return str(self.pods()[pod]["spec"]["nodeName"])

    async def until(self, true: Callable[[], bool], within_s: float, what: str = "") -> float:
        """Wait; how long it took."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not true():
            assert loop.time() - began_s < within_s, f"not within {within_s} s: {what}"
            await asyncio.sleep(0.05)
        return loop.time() - began_s

    async def ready(self, *rooms: str, within_s: float = 20.0) -> float:
        """Until those rooms are Ready."""
        wanted = rooms or ("standup",)
        return await self.until(
            lambda: all(self.phase(room) == names.READY for room in wanted), within_s, "Ready"
        )


def condition(status: Mapping[str, Any], kind: str) -> tuple[str, str, str]:
    """Status, reason and message."""
    found = [entry for entry in status.get("conditions", ()) if entry["type"] == kind]
    return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else ("", "", "")


def _dead(verb: str, kind: Kind, name: str) -> None:
    raise ApiError(0, "Unreachable", "the process is dead")
