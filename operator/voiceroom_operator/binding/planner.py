"""Which room is run by which pod: a pure function of all rooms and pods of one namespace.

Level-triggered, like ``pool_plan``: made again from scratch at every look, and empty when every
room is where it ought to be. It is made before the pools' plans, which count what it leaves over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from voiceroom_api import names
from voiceroom_operator.binding import words
from voiceroom_operator.binding.decisions import (
    Action,
    BindingPlan,
    Decision,
    Unplaced,
    Waiting,
    carried_out,
)
from voiceroom_operator.binding.epochs import burnt_epoch, has_moved, next_epoch, take_over
from voiceroom_operator.binding.ledger import Ledger
from voiceroom_operator.binding.memory import Memory
from voiceroom_operator.binding.orders import NO_ORDERS, Orders
from voiceroom_operator.binding.pods import Fleet
from voiceroom_operator.binding.request import Answer, Request, is_open
from voiceroom_operator.binding.requests import choose
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import MoveSeen, Nodes, PodSeen, RoomSeen, Standing
from voiceroom_operator.pool.crew import Demand
from voiceroom_operator.wanted import PoolWanted

DEFAULT_POOL = "default"


def plan_bindings(
    rooms: Iterable[RoomSeen],
    pods: Collection[PodSeen],
    pools: Iterable[PoolWanted],
    nodes: Nodes,
    limits: Limits,
    now_s: float,
    orders: Orders = NO_ORDERS,
) -> BindingPlan:
    """The next step for every room of a namespace; ``now_s`` in Unix seconds."""
    by_name = {room.name: room for room in rooms}
    return Bindings(limits).plan(by_name, pods, pools, nodes, now_s, orders)


class Bindings:
    """Plans for one namespace, one after the other. Each is what ``plan_bindings`` makes of the
    same; rooms that nothing has happened to since the last one are not looked at again."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.memory = Memory()
        self._last: tuple[object, BindingPlan] | None = None

    def plan(
        self,
        rooms: Mapping[str, RoomSeen],
        pods: Collection[PodSeen],
        pools: Iterable[PoolWanted],
        nodes: Nodes,
        now_s: float,
        orders: Orders = NO_ORDERS,
    ) -> BindingPlan:
        """``rooms``: by name, not to be changed any more."""
        seen = (tuple(pods), tuple(pools), nodes)
        inputs = (seen, orders)
        if self._last is not None and rooms is self.memory.rooms and self._last[0] == inputs:
            return self._last[1]
        self.memory.take(rooms)
        ledger = Ledger(self.memory.loads(), self._limits)
        fleet = Fleet(*seen, ledger, self._limits, orders)
        round_ = _Round(fleet, self._limits, now_s, self.memory, orders)
        made = round_.run()
        self._last = None if round_.is_of_its_time else (inputs, made)
        return made


class _Round:
    """One plan in the making: what was decided so far, and what it leaves to others."""

    def __init__(
        self,
        fleet: Fleet,
        limits: Limits,
        now_s: float,
        memory: Memory,
        orders: Orders,
    ) -> None:
        self._fleet = fleet
        self._orders = orders
        self._limits = limits
        self._now_s = now_s
        self._memory = memory
        self._claims = memory.claims(fleet)
        self._open = memory.open(fleet, (*self._claims, *orders.drift))
        self._moving = sum(room.move is not None for room in self._open.values())
        self._decisions: list[Decision] = []
        self._bound_at: dict[str, int] = {}
        self._arrived: dict[str, int] = {}
        """Rooms that have come to the end of a move: under which epoch."""
        self._unplaced: list[Unplaced] = []
        self._waiting: list[Waiting] = []
        self._answers: dict[str, Answer] = {}
        self._demand: dict[str, Demand] = {}
        self._later_s: list[float] = []
        self._make_default = False
        self.is_of_its_time = False
        """Whether it depends on the time."""

    def run(self) -> BindingPlan:
        """Where rooms go, then their twins."""
        placed = {room.name: self.place(room) for room in sorted(self._open.values(), key=_turn)}
        turns = {name: _turn(room) for name, room in self._open.items()}
        for room in self._bereft():
            placed.setdefault(room.name, room)
            turns.setdefault(room.name, _turn(room))
        for name in sorted(placed, key=turns.__getitem__):
            self.pair(placed[name])
        return self.plan()

    def _bereft(self) -> Iterator[RoomSeen]:
        """Rooms that were settled, and whose twin this plan has given a room of its own."""
        ledger = self._fleet.ledger
        for pod in sorted(ledger.changed()):
            if ledger.load(pod).dedicated:
                yield from self._memory.reserved_at(pod)

    def plan(self) -> BindingPlan:
        """All of it."""
        to_bind = {d.pod for d in self._decisions if d.action in ("Bind", "Move", "Adopt")}
        pods = self._fleet.pods
        return BindingPlan(
            decisions=tuple(self._decisions),
            occupy=tuple(sorted(pod for pod in to_bind if not pods[pod].occupied)),
            unplaced=tuple(self._unplaced),
            waiting=tuple(self._waiting),
            answers=self._answers,
            make_default_pool=self._make_default,
            demand=self._demand,
            bound=self._fleet.ledger.owned_counts(),
            requeue_after_s=min(self._later_s, default=None),
        )

    def place(self, room: RoomSeen) -> RoomSeen:
        """Decide who runs the room; the room as it will be."""
        if self._is_spent():
            return room
        claim = take_over(room, self._claims.get(room.name, ()))
        if claim is not None:
            pod, held = claim
            if has_moved(room, pod.name, held.epoch):
                return self._arrive(room, pod, held.epoch)
            why = words.TAKEN_BACK if pod.name == room.pod else words.TAKEN_OVER
            return self._decide("Adopt", room, pod.name, held.epoch, why)
        if room.pod and self._fleet.standing(room.pod) is not Standing.LOST:
            return self._relocate(room)
        return self._bind(room)

    def _arrive(self, room: RoomSeen, pod: PodSeen, epoch: int) -> RoomSeen:
        """The number after that of the move is the old pod's, until the new one is told a later
        one, and tells it. It keeps its right where it becomes the twin (``_join``)."""
        self._arrived[room.name] = epoch
        return self._decide("Adopt", room, pod.name, burnt_epoch(room) + 1, words.MOVED)

    def _is_spent(self) -> bool:
        spent = len(self._decisions) >= self._limits.decisions
        if spent:
            self._later_s.append(0.0)
        return spent

    def _bind(self, room: RoomSeen) -> RoomSeen:
        """Nobody runs the room: find a pod for it."""
        pod, (reason, message) = self._find(room)
        if pod is None and room.lent_by:
            # a canary without room for it keeps nobody waiting
            pod, (reason, message) = self._find(replace(room, pool=room.lent_by))
        if pod is None:
            self._unplaced.append(Unplaced(room.name, room.pool, reason, message))
            return self._release(room, words.POD_LOST) if room.pod else room
        why = words.POD_LOST if room.pod else words.FIRST_BINDING
        return self._decide("Bind", room, pod.name, next_epoch(room, pod.name), why)

    def _find(self, room: RoomSeen) -> tuple[PodSeen | None, tuple[str, str]]:
        """A pod for the room, or the reason and the message why there is none."""
        pool = self._fleet.pools.get(room.pool)
        if pool is None or pool.deleting:
            can_make = room.pool == DEFAULT_POOL and pool is None and not self._default_seen()
            self._make_default |= can_make
            return None, words.no_pool(room, pool, can_make)
        target = room.move.to if room.move else ""
        if self._fleet.standing(target) is Standing.SERVING:
            return self._fleet.pods[target], ("", "")
        pod = self._fleet.best_owner(room)
        if pod is None:
            self._wants_a_pod(room)
            return None, self._why_no_pod(room, pool)
        return pod, ("", "")

    def _default_seen(self) -> bool:
        rooms = self._memory.rooms.values()
        return any(self._saw_default(room) and not room.deleting for room in rooms)

    def _saw_default(self, room: RoomSeen) -> bool:
        """In the canary of the pool as well."""
        pod = self._fleet.pods.get(room.pod)
        pool = self._fleet.pools.get(pod.pool) if pod is not None else None
        lent = pool is not None and pool.canary_of == DEFAULT_POOL
        return (room.saw_pool or lent) and room.pool == DEFAULT_POOL

    def _why_no_pod(self, room: RoomSeen, pool: PoolWanted) -> tuple[str, str]:
        serving = self._fleet.serving(room.pool)
        if serving and all(map(self._fleet.is_silent, serving)):
            return words.all_silent(pool, len(serving))
        return words.no_pod(room, pool, serving)

    def _wants_a_pod(self, room: RoomSeen) -> None:
        old = self._demand.get(room.pool, Demand())
        shared = not room.dedicated
        self._demand[room.pool] = Demand(
            old.rooms + shared, old.legs + shared * room.legs, old.dedicated + room.dedicated
        )

    def _relocate(self, room: RoomSeen) -> RoomSeen:
        """A pod runs the room: see whether it ought to be another."""
        if room.move is not None:
            return self._await(room, room.move)
        why = self._why_elsewhere(room)
        if why in ("", names.DRIFT) and room.request and is_open(room.request, room.answer):
            return self._requested(room, room.request)
        if not why:
            return room
        overdue = self._deadline_passed(room)
        pod, (reason, message) = self._find(room)
        if pod is None and overdue:
            self._unplaced.append(Unplaced(room.name, room.pool, reason, message))
            return self._release(room, words.DRAIN_DEADLINE)
        if pod is None:
            self._waiting.append(Waiting(room.name, reason, message))
            return room
        return self._change_pods(room, pod, words.DRAIN_DEADLINE if overdue else "", why)

    def _requested(self, room: RoomSeen, request: Request) -> RoomSeen:
        """A person wants it elsewhere."""
        pod, answer = choose(self._fleet, room, request)
        if pod is None:
            self._answers[room.name] = answer
            if answer.state == "Waiting":
                self._wants_a_pod(room)
            return room
        after = self._change_pods(room, pod, "", names.REQUESTED)
        if after is room:
            words_ = words.stays(room, self._limits.moves)
            self._answers[room.name] = Answer(request.id, "Waiting", message=words_)
        return after

    def _await(self, room: RoomSeen, move: MoveSeen) -> RoomSeen:
        """It is on its way; a move that comes to no end is given up."""
        if self._is_overdue(move):
            return self._stay(room, words.MOVE_GIVEN_UP)
        can_come = self._fleet.can_take_part(move.to, room.pool)
        return room if can_come else self._stay(room, words.SUCCESSOR_LOST)

    def _is_overdue(self, move: MoveSeen) -> bool:
        self.is_of_its_time = True
        left_s = move.started_s + self._limits.move_s - self._now_s
        if left_s > 0:
            self._later_s.append(left_s)
        return left_s <= 0

    def _stay(self, room: RoomSeen, why: str) -> RoomSeen:
        """The move is given up: its number is nobody's, and the old pod goes on."""
        return self._decide("Stay", room, room.pod, burnt_epoch(room) + 1, why, room.twin)

    def _change_pods(self, room: RoomSeen, pod: PodSeen, cut: str, why: str) -> RoomSeen:
        """By a move, unless the room is ``cut``, which says why, or has nobody to hand it over."""
        epoch = next_epoch(room, pod.name)
        if cut or self._goes_at_once(room):
            return self._decide("Bind", room, pod.name, epoch, (room.legs and cut) or why)
        if self._moving < self._limits.moves:
            self._moving += 1
            return self._decide("Move", room, pod.name, epoch, why)
        self._waiting.append(Waiting(room.name, why, words.stays(room, self._limits.moves)))
        return room

    def _goes_at_once(self, room: RoomSeen) -> bool:
        """Nobody is in, and the pod would not hand it over. One that would is asked to: what it
        said of its people may be a second old, and who came since must hear no gap."""
        pod = self._fleet.pods[room.pod]
        return room.legs == 0 and (not self._limits.moves or self._fleet.is_silent(pod))

    def _why_elsewhere(self, room: RoomSeen) -> str:
        """The reason of the condition Moving; empty = the room is where it ought to be."""
        pod = self._fleet.pods[room.pod]
        if pod.pool != room.pool and self._fleet.is_canarys(room):
            return names.CANARY
        if pod.pool != room.pool or (room.dedicated and self._fleet.shares(room)):
            return names.SPEC_CHANGED
        if self._fleet.drains(room.pod):
            return names.SPEC_CHANGED if pod.drain_reason == "Rollout" else names.DRAIN
        # who does not keep time is left by those rooms only whose guard rails allow it
        return names.DRIFT if room.name in self._orders.drift else ""

    def _deadline_passed(self, room: RoomSeen) -> bool:
        pod = self._fleet.pods[room.pod]
        pool = self._fleet.pools.get(pod.pool)
        if pod.drain_since_s is None or pod.drain_reason == "Drift" or pool is None:
            return False
        self.is_of_its_time = True
        left_s = pod.drain_since_s + pool.drain_s - self._now_s
        if left_s > 0:
            self._later_s.append(left_s)
        return left_s <= 0

    def _release(self, room: RoomSeen, reason: str) -> RoomSeen:
        """Nobody has the room from now on.

        A pod that was lost and comes back may have it again under the number on record; one whose
        drain deadline has passed may not, so its number is passed by.
        """
        epoch = burnt_epoch(room) + (reason == words.DRAIN_DEADLINE)
        return self._decide("Release", room, "", epoch, reason)

    def pair(self, room: RoomSeen) -> None:
        """Give the room a twin when it has none that serves its purpose and there is one.

        It keeps its epoch when it never had a twin under it.
        """
        if not room.pod or room.move or self._is_spent():
            return
        if self._fleet.is_fit_twin(room) or self._why_elsewhere(room):
            return
        twin = self._fleet.best_twin(room)
        if twin is None:
            return
        if self._join(room, twin.name):
            return
        epoch = burnt_epoch(room) + 1 if room.twin else room.epoch
        self._decide("Twin", room, room.pod, epoch, words.TWIN_CHOSEN, twin.name)

    def _join(self, room: RoomSeen, twin: str) -> bool:
        """Write the twin into the decision that binds the room, so that both are one write."""
        at = self._bound_at.get(room.name)
        if at is None:
            return False
        made = self._decisions[at]
        epoch = self._arrived.get(room.name, made.epoch) if twin == made.previous else made.epoch
        self._decisions[at] = replace(made, twin=twin, epoch=epoch)
        self._fleet.ledger.rebind(room, replace(room, twin=twin))
        return True

    def _decide(
        self, action: Action, room: RoomSeen, pod: str, epoch: int, reason: str, twin: str = ""
    ) -> RoomSeen:
        decision = Decision(action, room.name, room.uid, pod, epoch, twin, room.pod, reason)
        if action in ("Bind", "Adopt"):
            self._bound_at[room.name] = len(self._decisions)
        self._decisions.append(decision)
        after = carried_out(room, decision)
        self._fleet.ledger.rebind(room, after)
        return after


def _turn(room: RoomSeen) -> tuple[bool, bool, float, str]:
    """Who has no pod comes first, then who has people in: empty rooms take no move from them."""
    return bool(room.pod), room.legs == 0, room.created_s, room.name
