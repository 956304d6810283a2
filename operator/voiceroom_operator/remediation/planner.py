"""Which rooms leave whom on account of drift: a pure function, made again at every look.

A decision is first put on record in the pool's status, and carried out from there: an operator
that starts anew goes on where the last one stopped, and forgets no budget and no quarantine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from voiceroom_operator.observed import Standing
from voiceroom_operator.remediation import words
from voiceroom_operator.remediation.attribution import Fault
from voiceroom_operator.remediation.case import PoolCase, Remedies, Say
from voiceroom_operator.remediation.guards import (
    Blocked,
    Budget,
    budget,
    candidates,
    no_candidate,
    over_budget,
    storm,
)
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.remediation.raises import Raising
from voiceroom_operator.remediation.records import Evacuation, What, until
from voiceroom_operator.remediation.rooms import Leaving, leaving, relief
from voiceroom_operator.remediation.suspects import (
    PodView,
    is_fit,
    is_witness,
    unconfirmed,
)
from voiceroom_operator.remediation.town import Town, is_shaky
from voiceroom_operator.status.conditions import whole_s

LOOK_AGAIN_S = 1.0
"""While something is bad."""


def plan_remedies(case: PoolCase, town: Town, now_s: float) -> Remedies:
    """For one pool; ``now_s`` in Unix seconds."""
    policy = case.policy
    record = _carried_on(case, town, now_s)
    if policy.mode == "Off" and all(room.mode in (None, "Off") for room in case.rooms):
        raises = Raising(case.raises, case.pods, policy, now_s).record
        return Remedies(record=record, raises=raises, pods_left=policy.pods_per_hour)
    return _Planning(case, town, record, now_s).remedies()


def _carried_on(case: PoolCase, town: Town, now_s: float) -> tuple[Evacuation, ...]:
    """What is on record already: what lasts is put off, what is spent goes."""
    shaky = {pod.uid for pod in case.pods if is_shaky(pod, case.policy)}
    kept: list[Evacuation] = []
    for entry in case.record:
        bad = entry.uid in shaky if entry.what == "Pod" else entry.name in town.shaky_nodes
        if bad and entry.is_active(now_s):
            entry = entry.lasting(case.policy, now_s)
        if not entry.is_spent(now_s):
            kept.append(entry)
    return tuple(kept)


class _Planning:
    """One plan in the making."""

    def __init__(
        self, case: PoolCase, town: Town, record: tuple[Evacuation, ...], now_s: float
    ) -> None:
        self._case = case
        self._policy: Policy = case.policy
        self._town = town
        self._now_s = now_s
        self._record = record
        self._dry = case.policy.mode != "Enforce"
        self._active = [e for e in record if e.is_active(now_s) and e.dry == self._dry]
        self._fit = [pod for pod in case.pods if is_fit(pod, self._policy, now_s)]
        self._faults = [fault for fault in town.faults if self._concerns(fault)]
        self._storm = storm(town.bad_nodes & self._pool_nodes(), self._pool_nodes(), self._policy)
        self._raising = Raising(case.raises, case.pods, self._policy, now_s)
        self._fresh: list[Evacuation] = []
        self._blocked: list[Blocked] = []

    def remedies(self) -> Remedies:
        """All of it."""
        spent = self._decide()
        real = [entry for entry in self._active if not entry.dry]
        moved = self._moved()
        bad = {pod.name for pod in self._case.pods if is_witness(pod, self._policy)}
        fit = {pod.name for pod in self._fit if pod.node not in self._distrusted()}
        return Remedies(
            record=(*self._record, *self._fresh),
            fresh=tuple(self._fresh),
            raises=(*self._raising.record, *self._raising.fresh),
            fresh_raises=tuple(self._raising.fresh),
            due_raises=self._raising.due(),
            ended_raises=tuple(self._raising.ended()),
            in_place=words.in_place(self._raising.here()),
            alarms=self._case.alarms,
            leave=moved.leave,
            held=moved.held,
            draining=frozenset(pod.uid for pod in self._case.pods if _covers(real, pod)),
            avoid=frozenset(entry.node for entry in real),
            quarantined={e.name: e.until_s for e in real if e.what == "Node"},
            unfit=frozenset(pod.name for pod in self._case.pods) - fit,
            bad=frozenset(bad),
            causes=self._causes(),
            nodes_left=spent.nodes,
            pods_left=spent.pods_left,
            blocked=next(iter((*self._blocked, *self._nowhere(moved, fit))), None),
            says=tuple(self._says()),
            requeue_after_s=self._requeue(moved, spent),
        )

    # What is to be left

    def _decide(self) -> Budget:
        """Begin what the guard rails allow; what is left of the budget."""
        spent = self._budget()
        for fault in self._faults:
            if fault.at == "Load" or self._is_known(fault) or self._raising.takes(fault):
                continue
            why = self._against(fault, spent)
            if why is not None:
                self._blocked.append(why)
                continue
            self._fresh.append(self._evacuation(fault))
            spent = self._budget()
        return spent

    def _budget(self) -> Budget:
        occupied: Counter[str] = Counter()
        for pod, rooms in Counter(room.pod for room in self._case.rooms if room.pod).items():
            occupied[self._node_of(pod)] += rooms
        mine = [entry for entry in self._record if entry.dry == self._dry]
        # what is begun now counts as long as it has not shown whether rooms are on it
        occupied.update(entry.node for entry in self._fresh if entry.what == "Node")
        return budget((*mine, *self._fresh), occupied, self._policy, self._now_s)

    def _against(self, fault: Fault, spent: Budget) -> Blocked | None:
        """The guard rail that keeps it from being left."""
        if self._storm is not None:
            return self._storm
        if not self._goes_on(fault):
            return no_candidate(f"{fault.at.lower()} {fault.name}")
        left = spent.nodes_left if fault.at == "Node" else spent.pods_left
        return None if left else over_budget(fault.at, fault.name, spent, self._policy)

    def _goes_on(self, fault: Fault) -> bool:
        """Whether somebody can take its rooms. A new pod never comes to the node of an old one."""
        distrusted = self._distrusted()
        if fault.at == "Node":
            gone = {pod.uid for pod in self._case.pods if pod.node == fault.node}
        else:
            gone = {fault.pods[0].uid}
        no_pods = {*distrusted, *self._town.bad_nodes, *(e.node for e in self._active), fault.node}
        return candidates(self._fit, self._case.nodes, gone, distrusted, no_pods)

    def _is_known(self, fault: Fault) -> bool:
        """It is being left already, on account of drift or for another reason."""
        if fault.at == "Node":
            return any(e.what == "Node" and e.name == fault.name for e in self._active)
        (pod,) = fault.pods
        return pod.standing is Standing.LEAVING or _covers(self._active, pod)

    def _evacuation(self, fault: Fault) -> Evacuation:
        uid = fault.pods[0].uid if fault.at == "Pod" else ""
        what: What = "Node" if fault.at == "Node" else "Pod"
        at_s = whole_s(self._now_s)
        end_s = until(self._policy, self._now_s)
        return Evacuation(
            what, fault.name, uid, fault.node, fault.cause, at_s, end_s, dry=self._dry
        )

    def _concerns(self, fault: Fault) -> bool:
        if fault.at == "Node":
            return fault.node in self._pool_nodes()
        return any(pod.uid == fault.pods[0].uid for pod in self._case.pods)

    def _pool_nodes(self) -> set[str]:
        return {p.node for p in self._case.pods if p.node and p.standing is not Standing.LOST}

    def _distrusted(self) -> set[str]:
        """Nodes that are bad now, or not trusted again yet."""
        quarantined = {n.name for n in (self._case.nodes or {}).values() if n.quarantined}
        of_nodes = {fault.node for fault in self._town.faults if fault.at == "Node"}
        return quarantined | of_nodes | {e.name for e in self._active if e.what == "Node"}

    def _node_of(self, pod: str) -> str:
        return next((each.node for each in self._case.pods if each.name == pod), "")

    # Rooms

    def _moved(self) -> Leaving:
        """Only what is on record is acted on; load is shed at once."""
        moved = leaving(self._case, self._active, self._storm, self._now_s)
        overloaded = [
            fault.pods[0]
            for fault in self._faults
            if fault.at == "Load" and not _covers(self._active, fault.pods[0])
        ]
        for pod in overloaded:
            why = self._storm or self._no_relief(pod)
            moved = moved.joined(relief(self._case, pod, why, self._now_s))
            if why is not None:
                self._blocked.append(why)
        return moved

    def _no_relief(self, pod: PodView) -> Blocked | None:
        """Load may go to any other pod that keeps time; another one is made when none has room."""
        distrusted = self._distrusted()
        goes_on = candidates(self._fit, self._case.nodes, {pod.uid}, distrusted, distrusted)
        return None if goes_on else no_candidate(f"load of pod {pod.name}")

    def _nowhere(self, moved: Leaving, fit: set[str]) -> Iterator[Blocked]:
        if moved.leave and not fit:
            yield no_candidate(f"the place of room {min(moved.leave)}")

    # What is told

    def _causes(self) -> dict[str, str]:
        mine = (self._town.suspects.get(pod.uid) for pod in self._case.pods)
        return {each.pod.name: each.cause for each in mine if each is not None}

    def _says(self) -> Iterable[Say]:
        for entry in self._fresh:
            yield words.begun(entry, self._case)
        for raised in self._raising.fresh:
            yield words.raised(raised, self._case.name)
        for raised in self._raising.ended():
            yield words.raise_ended(raised, self._case.name)
        for entry in self._case.record:
            if entry.what == "Node" and not entry.dry and not entry.is_active(self._now_s):
                yield words.released(entry, self._case.name)
        for pod in self._case.pods:
            if unconfirmed(pod, self._policy):
                yield words.unconfirmed(pod, self._case.name)
        for why in self._blocked[:1]:
            yield words.blocked(why, self._case.name)

    def _requeue(self, moved: Leaving, spent: Budget) -> float | None:
        waits = [entry.until_s - self._now_s for entry in self._record]
        waits += [entry.at_s + 3600.0 - self._now_s for entry in self._record]
        waits += [until_s - self._now_s for until_s in self._raising.until_s()]
        waits += [free_s - self._now_s for free_s in moved.free_s]
        waits += [alarm.until_s - self._now_s for alarm in self._case.alarms]
        if spent.next_s is not None:
            waits.append(spent.next_s - self._now_s)
        if (
            self._fresh
            or self._raising.fresh
            or any(self._is_worth_a_look(pod) for pod in self._case.pods)
        ):
            waits.append(LOOK_AGAIN_S)
        return min((wait for wait in waits if wait > 0), default=None)

    def _is_worth_a_look(self, pod: PodView) -> bool:
        return bool(pod.evidence.bad_ago_s) or (bool(self._active) and is_shaky(pod, self._policy))


def _covers(entries: Iterable[Evacuation], pod: PodView) -> bool:
    """Whether the pod is left, by itself or with its node."""
    return any(
        (entry.what == "Node" and entry.name == pod.node)
        or (entry.what == "Pod" and entry.uid == pod.uid)
        for entry in entries
    )
