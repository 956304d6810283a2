"""Whatever goes wrong in whatever order, and however often the operator starts anew: the guard
rails hold."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fakes.drift import Drifting, Pod, heal, stall
from voiceroom_api import names
from voiceroom_operator.remediation.cpulimit import CpuLimit, Refused
from voiceroom_operator.remediation.policy import HOUR_S, Mode, Policy
from voiceroom_operator.remediation.raises import APPLY_S
from voiceroom_operator.remediation.records import evacuations

NODES = st.integers(0, 4)
PODS = st.integers(0, 20)
SECONDS = st.integers(0, 8)
VERDICTS = st.sampled_from([*names.VERDICTS, ""])


def squeeze(pod: Pod, needs_m: int) -> None:
    """It needs more CPU than it may have, until that is raised."""
    pod.cpu = pod.cpu if pod.cpu.limit_m else CpuLimit(1000, 1000)
    pod.needs_m = needs_m


class Guarded(RuleBasedStateMachine):
    """One pool to which things happen."""

    world: Drifting

    @initialize(
        nodes=st.integers(1, 5),
        pods=st.integers(1, 2),
        mode=st.sampled_from(["Enforce", "Enforce", "Enforce", "DryRun", "Off"]),
        nodes_at_once=st.integers(1, 2),
        pods_per_hour=st.integers(1, 3),
        storm=st.sampled_from([1, 30, 100]),
        windows=st.sampled_from([(1, 1), (3, 5), (2, 8)]),
        delay=st.sampled_from([0.0, 30.0, 300.0]),
    )
    def begin(
        self,
        nodes: int,
        pods: int,
        mode: Mode,
        nodes_at_once: int,
        pods_per_hour: int,
        storm: int,
        windows: tuple[int, int],
        delay: float,
    ) -> None:
        policy = Policy(
            mode=mode,
            nodes_at_once=nodes_at_once,
            pods_per_hour=pods_per_hour,
            storm_percent=storm,
            bad_windows=windows[0],
            of_windows=windows[1],
            healthy_delay_s=delay,
            cooldown_s=20.0,
            cooldown_max_s=100.0,
            raise_to_m=2000,
        )
        self.world = Drifting(nodes, pods, policy)
        for at, pod in enumerate(tuple(self.world.pods)):
            self.world.room(f"room-{at}", pod, legs=at % 4)
        self.world.room("paused", next(iter(self.world.pods)), paused="a concert")
        self.world.room("off", next(iter(self.world.pods)), mode="Off")

    def pod(self, which: int) -> str:
        return sorted(self.world.pods)[which % len(self.world.pods)]

    @rule(which=PODS, verdict=VERDICTS, seconds=SECONDS)
    def spoil_a_pod(self, which: int, verdict: str, seconds: int) -> None:
        self.world.pods[self.pod(which)].bad = verdict
        self.world.pass_time(seconds)

    @rule(which=PODS, seconds=SECONDS)
    def spoil_the_pod_of_a_room(self, which: int, seconds: int) -> None:
        rooms = self.world.rooms
        pod = self.world.pods[rooms[sorted(rooms)[which % len(rooms)]].pod]
        pod.bad = names.GC
        self.world.pass_time(seconds)

    @rule(
        which=PODS,
        needs_m=st.sampled_from([1500, 3000]),
        takes_s=st.sampled_from([1, 100]),
        answer=st.sampled_from(["", "", "Refused", "Deferred", "Infeasible"]),
        seconds=SECONDS,
    )
    def throttle_a_pod(
        self, which: int, needs_m: int, takes_s: int, answer: Refused, seconds: int
    ) -> None:
        pod = self.world.pods[self.pod(which)]
        squeeze(pod, needs_m)
        pod.takes_s, pod.answer = takes_s, answer
        self.world.pass_time(seconds)

    @rule(seconds=SECONDS)
    def throttle_every_pod(self, seconds: int) -> None:
        for pod in self.world.pods.values():
            squeeze(pod, 1500)
        self.world.pass_time(seconds)

    @rule(which=PODS, seconds=SECONDS)
    def silence_a_pod(self, which: int, seconds: int) -> None:
        self.world.pods[self.pod(which)].silent = True
        self.world.pass_time(seconds)

    @rule(which=PODS, seconds=SECONDS)
    def delete_a_pod(self, which: int, seconds: int) -> None:
        self.world.death(self.pod(which))
        self.world.pass_time(seconds)

    @rule(which=PODS)
    def mend_a_pod(self, which: int) -> None:
        pod = self.world.pods[self.pod(which)]
        pod.bad, pod.silent, pod.needs_m = None, False, 0

    @rule(which=PODS)
    def load_a_pod(self, which: int) -> None:
        pod = self.world.pods[self.pod(which)]
        pod.bad, pod.work_ms = names.OVERLOAD, 25.0

    @rule(which=NODES, verdict=VERDICTS, seconds=SECONDS)
    def spoil_a_node(self, which: int, verdict: str, seconds: int) -> None:
        stall(self.world, f"node-{which % self.world.nodes}", verdict)
        self.world.pass_time(seconds)

    @rule(which=NODES)
    def spoil_two_nodes(self, which: int) -> None:
        for node in (which, which + 1):
            stall(self.world, f"node-{node % self.world.nodes}")
        self.world.pass_time(6)

    @rule(which=NODES)
    def mend_a_node(self, which: int) -> None:
        heal(self.world, f"node-{which % self.world.nodes}")

    @rule(seconds=st.integers(1, 20))
    def wait(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @rule(seconds=st.sampled_from([60.0, 400.0, 4000.0]))
    def wait_long(self, seconds: float) -> None:
        self.world.leap(seconds)

    @rule()
    def start_anew(self) -> None:
        """Nothing that was decided is decided otherwise."""
        before = self.world.plan()
        self.world.restart()
        after = self.world.plan()
        assert (after.draining, after.avoid) == (before.draining, before.avoid)
        assert after.quarantined.keys() == before.quarantined.keys()
        assert after.pods_left <= before.pods_left + len(before.fresh)
        self.world.pass_time(1)

    @invariant()
    def pods_an_hour(self) -> None:
        times = [at_s for at_s, what, _ in self.world.begun if what == "Pod"]
        for at_s in times:
            within = [other for other in times if at_s - HOUR_S < other <= at_s]
            assert len(within) <= self.world.policy.pods_per_hour

    @invariant()
    def raises_an_hour_and_each_pod_once(self) -> None:
        asked: dict[str, list[float]] = defaultdict(list)
        for at_s, name, to_m in self.world.raised:
            asked[name].append(at_s)
            assert to_m == self.world.policy.raise_to_m
        for times in asked.values():
            assert times[-1] - times[0] <= APPLY_S or times[-1] - times[0] >= HOUR_S - 1.0
        begun = sorted(times[0] for times in asked.values())
        for at_s in begun:
            within = [other for other in begun if at_s - HOUR_S < other <= at_s]
            assert len(within) <= self.world.policy.pods_per_hour

    @invariant()
    def nodes_at_once(self) -> None:
        assert self.world.left_at_once <= self.world.policy.nodes_at_once

    @invariant()
    def nobody_goes_to_a_node_that_is_left(self) -> None:
        active = {
            entry.name
            for entry in evacuations(self.world.status)
            if entry.what == "Node" and entry.is_active(self.world.now_s) and not entry.dry
        }
        assert not active & self.moved_to()

    def moved_to(self) -> set[str]:
        moved = {name for at_s, name, _ in self.world.moves if at_s == self.world.now_s}
        return {self.world.pods[self.world.rooms[name].pod].node for name in moved}

    @invariant()
    def cooldowns(self) -> None:
        by_room: dict[str, list[float]] = defaultdict(list)
        for at_s, name, legs in self.world.moves:
            if legs:
                by_room[name].append(at_s)
        for times in by_room.values():
            for one_s, next_s in pairwise(times):
                assert next_s - one_s >= self.world.policy.cooldown_s

    @invariant()
    def whom_a_person_holds_stays(self) -> None:
        assert not {"paused", "off"} & {name for _, name, _ in self.world.moves}

    @invariant()
    def without_enforcement_nothing_happens(self) -> None:
        if self.world.policy.mode != "Enforce":
            plan = self.world.last
            done = (plan.leave, plan.draining, plan.avoid, plan.quarantined)
            assert not any(done)
            assert self.world.moves == []
            assert self.world.raised == []

    @invariant()
    def in_a_storm_nobody_moves(self) -> None:
        town = self.world.town()
        nodes = {pod.node for pod in self.world.pods.values()}
        if len(town.bad_nodes) > max(1.0, len(nodes) * self.world.policy.storm_percent / 100.0):
            plan = self.world.plan()
            assert plan.fresh == ()
            assert plan.leave == {}

    @invariant()
    def what_is_bad_is_not_trusted(self) -> None:
        """Nor before it has kept time for ``healthyDelay``."""
        delay_s = self.world.policy.healthy_delay_s
        for entry in self.world.last.record:
            shaky = self.world.town().shaky_nodes
            if entry.what == "Node" and entry.name in shaky and entry.is_active(self.world.now_s):
                assert entry.until_s >= self.world.now_s + delay_s - 1.0

    @precondition(lambda self: not self.world.bad_nodes)
    @invariant()
    def a_pod_that_keeps_time_is_never_accused(self) -> None:
        for name in self.world.last.causes:
            pod = self.world.pods.get(name)
            if pod is not None:
                evidence = self.world.view(pod).evidence
                assert evidence.bad >= self.world.policy.bad_windows


# What fails is shown as it was found: 25 steps can be read, and to try thousands of shorter ways,
# each with minutes of virtual time in it, would keep whoever waits from reading them.
Guarded.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
)
TestGuardRails = Guarded.TestCase
