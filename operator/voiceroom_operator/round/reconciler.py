"""One round for a namespace, from the top, whatever has happened (``docs/operator.md``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from voiceroom_api import names
from voiceroom_operator.binding.decisions import BindingPlan, Decision, carried_out
from voiceroom_operator.binding.orders import orders
from voiceroom_operator.binding.planner import Bindings
from voiceroom_operator.binding.request import Answer, State
from voiceroom_operator.cluster.events import Events, Note
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import RoomSeen
from voiceroom_operator.pool.actions import CreatePod, DeletePod, PatchPod, PoolPlan
from voiceroom_operator.pool.crew import Demand, PoolObserved
from voiceroom_operator.pool_plan import plan
from voiceroom_operator.remediation.case import Remedies
from voiceroom_operator.remediation.drifted import next_drifted
from voiceroom_operator.round import saying
from voiceroom_operator.round.acquaintance import Acquaintance
from voiceroom_operator.round.acting import Hands
from voiceroom_operator.round.canarying import Canarying, Trials
from voiceroom_operator.round.doors import Doors
from voiceroom_operator.round.eyes import Eyes
from voiceroom_operator.round.facts import Facts, Said, said_of
from voiceroom_operator.round.families import family, head_of
from voiceroom_operator.round.findings import Findings
from voiceroom_operator.round.house import House
from voiceroom_operator.round.outcome import SOON_S, Outcome, RoundFailed
from voiceroom_operator.round.refusals import Refusals
from voiceroom_operator.round.refused import refused
from voiceroom_operator.round.remedying import Remedying
from voiceroom_operator.round.seen import PoolRecord, RoomRecord, Seen
from voiceroom_operator.round.statuses import Statuses
from voiceroom_operator.round.tally import Tally
from voiceroom_operator.round.telling import Teller
from voiceroom_operator.round.writes import at_once
from voiceroom_operator.status.refusals import Refusal

_BINDING = frozenset({"Bind", "Move", "Adopt"})
"""Decisions that give a pod a room: its label has to say so before."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """For one pool."""

    pool: PoolRecord
    observed: PoolObserved
    plan: PoolPlan


@dataclass(frozen=True, slots=True)
class Parts:
    """What a round is made with."""

    eyes: Eyes
    hands: Hands
    house: House
    teller: Teller
    remedying: Remedying
    canarying: Canarying
    events: Events
    tally: Tally
    limits: Limits


class Reconciler:
    """Call it with a namespace; the answer is when to look again without news, in seconds."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._statuses = Statuses(parts.hands)
        self._refusals = Refusals(parts.hands.clock, "the pod")
        self._unsettled = Refusals(parts.hands.clock, "what the pool has beside its pods")
        self._bindings: dict[str, Bindings] = {}
        self._doors = Doors(parts.eyes.mirror)
        self._acquaintance = Acquaintance()

    async def __call__(self, namespace: str) -> float | None:
        """One round. Raises ``RoundFailed``, ``NotLeading``."""
        outcome = Outcome()
        seen = self._parts.eyes.see(namespace)
        sound = await self._put_in_order(seen, outcome)
        hands = self._parts.hands
        clock = hands.clock
        if not self._acquaintance.is_made(seen, clock.monotonic_s()):
            outcome.again_s.append(SOON_S)
            return _at_last(outcome)
        findings = await self._parts.remedying.examine(seen, clock.unix_s)
        seen, now_s = findings.seen, clock.unix_s()
        trials = self._parts.canarying.examine(seen)
        binding = self._bind(findings, now_s)
        planned = [self._size(findings, pool, binding, now_s) for pool in seen.pools.values()]
        await self._carry_out(findings, binding, planned, sound, outcome)
        await self._parts.canarying.carry_out(seen, trials, outcome)
        await self._parts.remedying.carry_out(findings, hands, outcome)
        await self._report(findings, binding, planned, trials, outcome)
        return _again(outcome, findings, binding, planned, trials)

    def forget(self) -> None:
        """Whatever is kept to save work: nothing else may depend on it."""
        self._parts.eyes.forget()
        self._parts.teller.forget()
        self._bindings.clear()
        self._statuses.forget()
        self._doors.forget()
        self._acquaintance.forget()
        self._parts.canarying.forget()

    def keep(self, uids: set[str]) -> None:
        """Forget what belongs to objects that are gone."""
        self._statuses.keep(uids)
        self._parts.eyes.keep(uids)
        self._parts.house.keep(uids)
        self._parts.teller.keep(uids)
        self._parts.canarying.keep(uids)
        self._refusals.keep(uids)
        self._unsettled.keep(uids)

    async def _put_in_order(self, seen: Seen, outcome: Outcome) -> set[str]:
        """Pools whose Secrets and Service are there, by name: others get no pods yet."""
        sound: set[str] = set()
        for pool in seen.pools.values():
            self._parts.hands.check()
            wait_s = self._unsettled.wait_s(pool)
            if wait_s > 0:
                outcome.again_s.append(wait_s)
            elif await self._settle(seen, pool, outcome):
                sound.add(pool.wanted.name)
        # a canary whose Secrets are those of a pool that is missing
        return {name for name in sound if head_of(seen.pools, name) in sound}

    async def _settle(self, seen: Seen, pool: PoolRecord, outcome: Outcome) -> bool:
        name = pool.wanted.name
        head = seen.pools.get(head_of(seen.pools, name))
        if head is None:
            return False
        other = head if head is not pool else None
        call = self._parts.house.put_in_order(pool, other, family(seen.pools, name))
        return await self._unsettled.answered(pool, "put a pool in order", call, outcome)

    def _bind(self, findings: Findings, now_s: float) -> BindingPlan:
        seen = findings.seen
        bindings = self._bindings.pop(seen.namespace, None) or Bindings(self._parts.limits)
        if seen.rooms:
            self._bindings[seen.namespace] = bindings
        return bindings.plan(
            seen.room_values,
            [pod.seen for pod in seen.pods.values()],
            [pool.wanted for pool in seen.pools.values()],
            seen.nodes,
            now_s,
            orders(findings.remedies),
        )

    def _size(
        self, findings: Findings, pool: PoolRecord, binding: BindingPlan, now_s: float
    ) -> _Planned:
        seen, name = findings.seen, pool.wanted.name
        observed = PoolObserved(
            pods=tuple(pod.seen for pod in seen.pods_of(name)),
            nodes=seen.nodes,
            demand=binding.demand.get(name, Demand()),
            bound=binding.bound,
            reserved=_reserved(seen),
            drifting=findings.remedies.get(name, Remedies()).draining,
            avoid=frozenset(findings.avoid(name)),
            foreign_ports=self._parts.eyes.foreign_ports(pool),
        )
        step = plan(pool.wanted, observed, self._parts.limits, now_s)
        return _Planned(pool, observed, step)

    async def _carry_out(
        self,
        findings: Findings,
        binding: BindingPlan,
        planned: list[_Planned],
        sound: set[str],
        outcome: Outcome,
    ) -> None:
        """In the order of ``docs/operator.md``."""
        hands, seen = self._parts.hands, findings.seen
        for each in planned:
            if each.plan.finalizer == "add":
                await outcome.done("finalizer", hands.set_finalizer(each.pool, present=True))
        if binding.make_default_pool:
            await self._make_default(seen, outcome)
        occupied = await self._occupy(seen, binding, outcome)
        before = outcome.failures
        all_begun = await self._decide(findings, binding, occupied, outcome)
        rooms_told = all_begun and outcome.failures == before
        for each in planned:
            await self._resize(findings, each, sound, outcome)
        for each in planned:
            # rooms first: what they say of a pool that is gone keeps it from being made again
            if each.plan.finalizer == "release" and rooms_told:
                await outcome.done("finalizer", hands.set_finalizer(each.pool, present=False))

    async def _make_default(self, seen: Seen, outcome: Outcome) -> None:
        call = self._parts.hands.make_default_pool(seen.namespace)
        made = await outcome.tried("make the pool default", call)
        if made is not None:
            self._parts.events.say(saying.pool_made(made))
        outcome.again_s.append(SOON_S)

    async def _occupy(self, seen: Seen, binding: BindingPlan, outcome: Outcome) -> set[str]:
        """Pods whose label says that they are occupied: only there may rooms be bound."""
        good = {name for name, pod in seen.pods.items() if pod.seen.occupied}

        for name in binding.occupy:
            pod = seen.pods[name]
            patch = PatchPod(name, pod.seen.uid, occupied=True)
            call = self._parts.hands.patch_pod(seen.namespace, patch, pod.body)
            if await outcome.done("mark a pod as occupied", call):
                good.add(name)
        return good

    async def _decide(
        self, findings: Findings, binding: BindingPlan, occupied: set[str], outcome: Outcome
    ) -> bool:
        """Rooms side by side: a plan has one decision for a room at most. Whether there was time
        for all; the next round decides anew on the others."""
        facts, hands = self._facts(findings.seen, said_of(binding, {}), findings), self._parts.hands

        async def one(decision: Decision) -> None:
            if decision.action in _BINDING and decision.pod not in occupied:
                outcome.again_s.append(SOON_S)
            else:
                await self._record(findings.seen, facts, decision, outcome)

        left = await at_once([partial(one, each) for each in binding.decisions], hands.clock)
        if left:
            outcome.again_s.append(0.0)
        return not left

    async def _record(self, seen: Seen, facts: Facts, decision: Decision, outcome: Outcome) -> None:
        """Put a decision on record: refused when the room is not as it was seen."""
        room = seen.rooms[decision.room]
        known = facts.of_room(room, self._after(seen, room, decision))
        if await outcome.done("record a decision", self._statuses.decide(room, known)):
            self._parts.tally.decided(decision.action)
            why = room.seen.request.why if room.seen.request else ""
            self._parts.events.say(saying.decided(room.body, decision, why))
            if decision.reason == names.DRIFT:
                self._parts.tally.remedied("Room", "enforced")

    def _after(self, seen: Seen, room: RoomRecord, decision: Decision) -> RoomSeen:
        """The room once ``decision`` is on record; a move on account of drift is in the same
        write, so that no cooldown is forgotten."""
        after = carried_out(room.seen, decision)
        if decision.reason == names.REQUESTED and room.seen.request is not None:
            state: State = "Moving" if decision.action == "Move" else "Done"
            return replace(after, answer=Answer(room.seen.request.id, state, decision.pod))
        pool = seen.pools.get(room.seen.pool)
        if decision.reason != names.DRIFT or pool is None:
            return after
        now_s, heard = self._parts.hands.clock.unix_s(), room.seen.legs > 0
        last = room.seen.drift
        drift = next_drifted(last, decision.previous, pool.policy, now_s, heard=heard)
        return replace(after, drift=drift)

    def _facts(self, seen: Seen, said: Said, findings: Findings) -> Facts:
        doors = self._doors.look(seen)
        now_s = self._parts.hands.clock.unix_s()
        return Facts(seen, said, doors, self._parts.limits, findings.remedies, now_s)

    async def _resize(
        self, findings: Findings, each: _Planned, sound: set[str], outcome: Outcome
    ) -> None:
        seen, hands, namespace = findings.seen, self._parts.hands, findings.seen.namespace
        for patch in each.plan.patch:
            call = hands.patch_pod(namespace, patch, seen.pods[patch.name].body)
            await outcome.done("mark a pod", call)
        if each.pool.wanted.name in sound:
            await self._create(each, findings.avoid(each.pool.wanted.name), outcome)
        for death in each.plan.delete:
            if await self._delete(seen, death, outcome):
                self._parts.events.say(saying.deleted(each.pool.body, death))
        for note in saying.planned(each.pool.body, each.plan.notes):
            self._parts.events.say(note)

    async def _delete(self, seen: Seen, death: DeletePod, outcome: Outcome) -> bool:
        occupied = seen.pods[death.name].seen.occupied
        call = self._parts.hands.delete_pod(seen.namespace, death, occupied=occupied)
        return await outcome.done("delete a pod", call)

    async def _create(self, each: _Planned, avoid: tuple[str, ...], outcome: Outcome) -> None:
        """A refusal is kept until a pod is taken, or none is wanted any more."""
        if not each.plan.create:
            if each.plan.requeue_after_s is None:
                self._refusals.drop(each.pool)
            return
        wait_s = self._refusals.wait_s(each.pool)
        if wait_s > 0:
            outcome.again_s.append(wait_s)
            return
        for birth in each.plan.create:
            if not await self._give_birth(each.pool, birth, avoid, outcome):
                return

    async def _give_birth(
        self, pool: PoolRecord, birth: CreatePod, avoid: tuple[str, ...], outcome: Outcome
    ) -> bool:
        call = self._parts.hands.create_pod(pool, birth, avoid)
        made = await self._refusals.answered(pool, "create a pod", call, outcome)
        if made:
            self._parts.events.say(saying.created(pool.body, birth.name))
        return made

    async def _report(
        self,
        findings: Findings,
        binding: BindingPlan,
        planned: list[_Planned],
        trials: Trials,
        outcome: Outcome,
    ) -> None:
        """Statuses, then documents, from what is now on record."""
        seen = self._parts.eyes.see(findings.seen.namespace)
        said = said_of(binding, self._refused(seen), trials)
        facts = self._facts(seen, said, findings)
        pools = [
            (pool, facts.of_pool(pool, each.plan, self._now(seen, each)))
            for each in planned
            if (pool := seen.pools.get(each.pool.wanted.name)) is not None
        ]
        await self._statuses.write(seen, facts, pools, outcome)
        self._parts.remedying.tell(findings)
        self._parts.canarying.tell(findings.seen, trials)
        await self._parts.teller.tell(seen, facts, outcome)
        self._say(seen, said)
        self._parts.tally.look_over(self._parts.eyes.see(seen.namespace))

    def _now(self, seen: Seen, each: _Planned) -> PoolObserved:
        pods = tuple(pod.seen for pod in seen.pods_of(each.pool.wanted.name))
        return replace(each.observed, pods=pods)

    def _refused(self, seen: Seen) -> Mapping[str, Refusal]:
        """By pool: what the API server said, else the scheduler or a kubelet."""
        found: dict[str, Refusal] = {}
        for name, pool in seen.pools.items():
            why = self._unsettled.of(pool) or self._refusals.of(pool) or refused(seen.pods_of(name))
            if why is not None:
                found[name] = why
        return found

    def _say(self, seen: Seen, said: Said) -> None:
        events = self._parts.events
        for name, why in said.unplaced.items():
            if name in seen.rooms and why.reason != names.WAITING_FOR_POD:
                events.say(saying.unplaced(seen.rooms[name].body, why))
        for name, answer in said.answers.items():
            if name in seen.rooms and answer.state == "Refused":
                events.say(saying.move_refused(seen.rooms[name].body, answer))
        for name, refusal_ in said.refusals.items():
            about = seen.pools[name].body
            events.say(Note(about, "Warning", saying.POD_REFUSED, refusal_.message()))
        spoilt = (room for rooms in seen.bound.values() for room in rooms.once(_spoilt))
        rooms = ((room.body, room.read.problems) for room in spoilt)
        pools = ((pool.body, pool.read.problems) for pool in seen.pools.values())
        for body, problems in (*rooms, *pools):
            if problems:
                events.say(saying.invalid(body, problems))


def _reserved(seen: Seen) -> frozenset[str]:
    """Names of pods that rooms refer to: no new pod may have them."""
    return frozenset(seen.bound.keys() | seen.others.keys()) - {""}


def _spoilt(rooms: Mapping[str, RoomRecord]) -> list[RoomRecord]:
    return [room for room in rooms.values() if room.read.problems]


def _again(
    outcome: Outcome,
    findings: Findings,
    binding: BindingPlan,
    planned: Iterable[_Planned],
    trials: Trials,
) -> float | None:
    waits = [_at_last(outcome), binding.requeue_after_s]
    waits.extend(each.requeue_after_s for each in findings.remedies.values())
    waits.extend(each.plan.requeue_after_s for each in planned)
    waits.extend(each.requeue_after_s for each in trials.values())
    return min((wait for wait in waits if wait is not None), default=None)


def _at_last(outcome: Outcome) -> float | None:
    """When to look again on account of what was done. Raises ``RoundFailed``."""
    if outcome.failures:
        raise RoundFailed(outcome.failures, outcome.not_before_s, outcome.writes)
    return outcome.soonest_s()
