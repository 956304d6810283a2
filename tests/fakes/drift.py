"""Pods of one pool whose timers go wrong, in values: seconds pass, plans are made and carried out,
and all that an operator may remember goes through statuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from voiceroom_api import names
from voiceroom_operator.observed import NodeSeen, Standing
from voiceroom_operator.remediation.case import PoolCase, Remedies, RoomView
from voiceroom_operator.remediation.cpulimit import CpuLimit, Refused
from voiceroom_operator.remediation.drifted import drifted, next_drifted
from voiceroom_operator.remediation.evidence import weigh
from voiceroom_operator.remediation.planner import plan_remedies
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.remediation.raises import Raise, raises
from voiceroom_operator.remediation.records import alarms, budget_dict, evacuations
from voiceroom_operator.remediation.suspects import Alarm, PodView
from voiceroom_operator.remediation.town import Town, survey
from voiceroom_operator.remediation.windows import History, Window, noted

BEGIN_S = 1_800_000_000.0
SHOWN = 10


@dataclass
class Pod:
    name: str
    uid: str
    node: str
    started_s: float
    bad: str | None = None
    """What is wrong with it: a verdict, or "" for late without a word; None = nothing."""
    silent: bool = False
    silent_s: float = 0.0
    history: History = ()
    draining: bool = False
    work_ms: float = 2.0
    cpu: CpuLimit = field(default_factory=CpuLimit)
    needs_m: int = 0
    """Throttled while its quota is less."""
    takes_s: int = 2
    """From a raised limit to the quota that the kubelet sets."""
    answer: Refused = ""
    """To a raised limit."""
    raised_s: float = 0.0


@dataclass
class Drifting:
    """One pool on a few nodes."""

    nodes: int = 3
    pods_on_each: int = 2
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.now_s = BEGIN_S
        self.bad_nodes: dict[str, str] = {}
        """Nodes that are wrong, and the verdict of their pods."""
        self.pods: dict[str, Pod] = {}
        self.rooms: dict[str, RoomView] = {}
        self.status: dict[str, Any] = {}
        self.room_statuses: dict[str, dict[str, Any]] = {}
        self.firing: tuple[Alarm, ...] = ()
        self.made = 0
        self.begun: list[tuple[float, str, str]] = []
        """Time, what, and name of each evacuation that was really begun."""
        self.moves: list[tuple[float, str, int]] = []
        """Time and room of each move, and the people in it."""
        self.raised: list[tuple[float, str, int]] = []
        """Time, pod and limit of each that was asked of the API server."""
        self.last = Remedies()
        self.left_at_once = 0
        """The most nodes that were being left in one round."""
        for number in range(self.nodes):
            for _ in range(self.pods_on_each):
                self.birth(f"node-{number}", age_s=3600.0)
        self.pass_time(SHOWN + 2)

    # What there is

    def birth(self, node: str, age_s: float = 0.0) -> Pod:
        self.made += 1
        pod = Pod(f"pod-{self.made}", f"uid-{self.made}", node, self.now_s - age_s)
        self.pods[pod.name] = pod
        return pod

    def room(self, name: str, pod: str, **fields: Any) -> None:
        usual: dict[str, Any] = {"legs": 3, "cost": 1.0}
        self.rooms[name] = RoomView(name, pod, **(usual | fields))

    def death(self, name: str) -> Pod:
        """Somebody deletes a pod: another comes in its place, and its rooms begin there."""
        anew = self.birth(self.pods.pop(name).node)
        for room in [room for room in self.rooms.values() if room.pod == name]:
            self.rooms[room.name] = replace(room, pod=anew.name)
        return anew

    def on(self, node: str) -> list[Pod]:
        return [pod for pod in self.pods.values() if pod.node == node]

    # Time

    def pass_time(self, seconds: int) -> None:
        """Second by second, with a round in each."""
        for _ in range(seconds):
            self.now_s += 1.0
            for pod in self.pods.values():
                self._second(pod)
            self.round()

    def leap(self, seconds: float) -> None:
        """A long time in which everything keeps time."""
        self.bad_nodes.clear()
        self.now_s += seconds
        for pod in self.pods.values():
            pod.bad, pod.silent, pod.silent_s = None, False, 0.0
            newest = int(self.now_s)
            pod.history = tuple(self._window(pod, newest - at) for at in range(SHOWN, 0, -1))
        self.round()

    def _second(self, pod: Pod) -> None:
        self._kubelet(pod)
        if pod.needs_m:
            pod.bad = names.THROTTLE if pod.cpu.quota_m < pod.needs_m else None
        if pod.silent:
            pod.silent_s += 1.0
            return
        pod.silent_s = 0.0
        said = [self._window(pod, int(self.now_s) - 1)]
        verdict = self.bad_nodes.get(pod.node, pod.bad) or ""
        pod.history = noted(pod.history, said, verdict, False, self.policy.keep_s)

    def _kubelet(self, pod: Pod) -> None:
        cpu = pod.cpu
        if cpu.limit_m > cpu.quota_m and not cpu.refused and self.now_s >= pod.raised_s:
            pod.cpu = replace(cpu, quota_m=cpu.limit_m)

    def _resize(self, entry: Raise) -> None:
        pod = self.pods[entry.pod]
        self.raised.append((self.now_s, pod.name, entry.to_m))
        if pod.answer == "Refused":
            pod.cpu = replace(pod.cpu, refused="Refused", why="no")
            return
        pod.cpu = CpuLimit(entry.to_m, pod.cpu.quota_m, pod.answer)
        pod.raised_s = self.now_s + pod.takes_s

    def _window(self, pod: Pod, number: int) -> Window:
        bad = pod.bad is not None or pod.node in self.bad_nodes
        late = 40 if bad else 0
        p99_ms = 60.0 if bad else 0.4
        return Window(number, ticks=50, late=late, p99_ms=p99_ms, work_ms=pod.work_ms)

    def restart(self) -> None:
        """Another operator: it knows what statuses hold and what pods show."""
        for pod in self.pods.values():
            pod.history = tuple(replace(w, verdict="") for w in pod.history[-SHOWN:])
            pod.silent_s = 0.0

    # Rounds

    def view(self, pod: Pod) -> PodView:
        return PodView(
            name=pod.name,
            uid=pod.uid,
            pool="p",
            node=pod.node,
            started_s=pod.started_s,
            standing=Standing.LEAVING if pod.draining else Standing.SERVING,
            headroom=max(0.0, 1.0 - pod.work_ms / 20.0),
            cpu=pod.cpu,
            evidence=weigh(pod.history, pod.silent_s, self.policy),
            alarms=tuple(
                alarm
                for alarm in {a.key: a for a in (*alarms(self.status), *self.firing)}.values()
                if self.now_s < alarm.until_s and pod.name == alarm.pod
            ),
        )

    def case(self) -> PoolCase:
        views = tuple(self.view(pod) for pod in self.pods.values())
        record = evacuations(self.status)
        bad = {e.name for e in record if e.what == "Node" and not e.dry and e.is_active(self.now_s)}
        nodes = {
            name: NodeSeen(name, quarantined=name in bad)
            for name in (f"node-{number}" for number in range(self.nodes))
        }
        rooms = tuple(
            replace(room, drift=drifted(self.room_statuses.get(room.name, {})))
            for room in self.rooms.values()
        )
        named = {alarm for view in views for alarm in view.alarms}
        raised = raises(self.status)
        return PoolCase("p", self.policy, views, rooms, record, tuple(named), nodes, raised)

    def town(self) -> Town:
        return survey([(pod, self.policy) for pod in self.case().pods], self.now_s)

    def plan(self) -> Remedies:
        return plan_remedies(self.case(), self.town(), self.now_s)

    def round(self) -> Remedies:
        plan = self.last = self.plan()
        self.left_at_once = max(self.left_at_once, len(self._being_left(plan)))
        for raised in plan.due_raises:
            self._resize(raised)
        for room in plan.leave:
            self._move(room, plan)
        for pod in tuple(self.pods.values()):
            pod.draining = pod.uid in plan.draining
            if pod.draining and not any(room.pod == pod.name for room in self.rooms.values()):
                self._replace(pod, plan)
        left = (plan.nodes_left, plan.pods_left)
        self.status = {"budget": budget_dict(plan.record, *left, plan.alarms, plan.raises)}
        for entry in plan.fresh:
            if not entry.dry:
                self.begun.append((self.now_s, entry.what, entry.name))
        return plan

    def _being_left(self, plan: Remedies) -> set[str]:
        """Nodes with rooms that are free to go."""
        left = {
            entry.name
            for entry in plan.record
            if entry.what == "Node" and not entry.dry and entry.is_active(self.now_s)
        }
        free = (room for room in self.rooms.values() if room.name not in plan.held)
        return left & {self.pods[room.pod].node for room in free}

    def _move(self, name: str, plan: Remedies) -> None:
        room = self.rooms[name]
        fit = [
            pod.name
            for pod in self.pods.values()
            if pod.name not in plan.unfit and pod.name != room.pod and not pod.draining
        ]
        if not fit:
            return
        last = drifted(self.room_statuses.get(name, {}))
        record = next_drifted(last, room.pod, self.policy, self.now_s, heard=room.legs > 0)
        self.room_statuses[name] = {"moves": {"drift": record.to_dict()}}
        self.moves.append((self.now_s, name, room.legs))
        self.rooms[name] = replace(room, pod=min(fit))

    def _replace(self, pod: Pod, plan: Remedies) -> None:
        del self.pods[pod.name]
        here = [f"node-{n}" for n in range(self.nodes) if f"node-{n}" not in plan.avoid]
        if here:
            self.birth(min(here, key=lambda node: (len(self.on(node)), node)))


def stall(world: Drifting, node: str, verdict: str = names.STARVED) -> None:
    """All pods of the node, until it is healed."""
    world.bad_nodes[node] = verdict


def heal(world: Drifting, node: str) -> None:
    """It keeps time again."""
    world.bad_nodes.pop(node, None)
