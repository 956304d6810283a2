"""Where the time of a late tick went: what the accounts grew by, taken from it in turn."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.observations import Accounts, NodeAccounts, Tick
from voiceroom_mixer.core.timing.detect.spending import Spending
from voiceroom_mixer.core.timing.detect.verdicts import Claim, Evidence, Kind, ms

_SMOOTH: Final = 0.2
"""Weight of a new second in the usual rates."""
_SOME: Final = 0.3
"""Less than this of the datagrams that a gap should have queued up: they do not exist."""
_PART: Final = 4
_FEW_SLICES: Final = 4
Shares = dict[Kind, int]


class Stall(NamedTuple):
    """Time lost, and what kind of place it was lost in."""

    asleep_ns: int
    """Lost while the thread slept."""
    code_ns: int
    """Lost inside own code."""
    work_ns: int = 0
    """The part of it that was lost in the mix."""
    stopped: bool = False
    """The whole process stood still: a signal continued it, or other processes did too."""
    unserved: bool = False
    """Packets that the senders must have sent meanwhile do not exist."""

    @property
    def whole_ns(self) -> int:
        """All of it."""
        return self.asleep_ns + self.code_ns


class NodeGrowth(NamedTuple):
    """The last fields of ``Growth``."""

    ancestors_ns: int = 0
    steal_ns: int = 0
    spent: float = 0.0


NOTHING: Final = NodeGrowth()


class Growth(NamedTuple):
    """What the accounts grew by."""

    own_cpu_ns: int
    others_cpu_ns: int
    run_delay_ns: int
    slices: int
    throttled_ns: int
    gc_ns: int
    ancestors_ns: int = 0
    steal_ns: int = 0
    """Beyond the usual."""
    spent: float = 0.0
    """The share of the own quota that was used of late."""

    @classmethod
    def between(cls, a: Accounts, b: Accounts, node: NodeGrowth = NOTHING) -> Growth:
        """From the earlier to the later; what shrank was begun anew and tells nothing."""
        own_ns = max(0, b.thread_cpu_ns - a.thread_cpu_ns)
        return cls(
            own_ns,
            max(0, b.process_cpu_ns - a.process_cpu_ns - own_ns),
            max(0, b.run_delay_ns - a.run_delay_ns),
            max(0, b.slices - a.slices),
            max(0, b.throttled_ns - a.throttled_ns),
            max(0, b.gc_ns - a.gc_ns),
            *node,
        )

    @property
    def held_ns(self) -> int:
        """Taken by the own quota, wherever it is booked."""
        if self.spent < matrix.SPENT:
            return self.throttled_ns
        return max(self.throttled_ns, self.run_delay_ns, self.ancestors_ns)


def attribute(stall: Stall, growth: Growth) -> Shares:
    """The stall dealt out: each cause takes what it explains of what is left, surest first."""
    left = stall.whole_ns
    shares: Shares = {}
    waiting_ns = max(0, growth.run_delay_ns - growth.held_ns)
    starved_ns = max(waiting_ns, growth.ancestors_ns, growth.steal_ns)
    # Own CPU explains only what was lost in own code, and not what the collector used of it.
    own_ns = min(stall.code_ns, max(0, growth.own_cpu_ns - growth.gc_ns))
    explained: tuple[tuple[Kind, int], ...] = (
        ("gc", growth.gc_ns),
        ("throttle", growth.held_ns),
        ("gil", _gil_ns(stall, growth)),
        ("starved", starved_ns),
        ("overload", own_ns),
    )
    for kind, amount_ns in explained:
        shares[kind] = min(left, amount_ns)
        left -= shares[kind]
    blocked = stall.code_ns > stall.asleep_ns and not stall.stopped
    rest: Kind = "step-all" if stall.unserved else "loop-block" if blocked else "freeze"
    shares[rest] = left
    return shares


def _gil_ns(stall: Stall, growth: Growth) -> int:
    # A waiter for the GIL wakes once in every switch interval, also when its holder only sleeps;
    # one that is preempted again and again is put on a CPU as often, but waits for it.
    wakes = stall.whole_ns // matrix.SWITCH_INTERVAL_NS
    asked = wakes > _FEW_SLICES and growth.slices - _FEW_SLICES >= wakes * 2 // 3
    asked = asked and max(growth.run_delay_ns, growth.own_cpu_ns) < stall.whole_ns // 4
    return stall.whole_ns if asked else growth.others_cpu_ns


class _Seen(NamedTuple):
    number: int
    begin_ns: int
    stall: Stall
    growth: Growth


class TickWatch:
    """Looks at every tick; claims when too much of the last few is lost."""

    def __init__(self) -> None:
        self._accounts: Accounts | None = None
        self._node: NodeAccounts | None = None
        self._spending, self._spent = Spending(), 0.0
        self._look_ns = 0
        self._recent: deque[_Seen] = deque(maxlen=matrix.LONG_TICKS)
        self._number = 0
        self._held = False
        self._steal_rate: tuple[float, ...] = ()
        self._arrival_rate = 0.0
        self.pressure_share = 0.0
        """PSI "some" between the last two looks at the node, 0..1."""

    def excuse(self, tick: Tick) -> None:
        """Its lateness is a clock's error: begin anew."""
        self._recent.clear()
        self._keep(tick)

    def take(self, tick: Tick, ahead_ns: int = 0) -> Claim | None:
        """One tick; what it and those before it show together.

        ``ahead_ns`` of its lateness is an error of the clock that it was read off.
        """
        before = self._accounts
        if before is None:
            self._keep(tick)
            return None
        self._number += 1
        if tick.node is not None:
            self._spent = self._spending.take(tick.node)
        stall = self._stall(tick, before, ahead_ns)
        held = self._release(tick)
        if stall.whole_ns >= matrix.NOTICE_NS:
            growth = Growth.between(before, tick.accounts, self._node_growth(tick.node))
            self._recent.append(_Seen(self._number, tick.waited_for_ns, stall, growth))
        elif not held:
            self._keep(tick)
            return None
        self._keep(tick)
        if self._hold():
            return None
        faulty = self._faulty(tick.frame_ns)
        claim = self._claim(faulty) if faulty else None
        if claim is not None and claim.kind == "starved" and not self._harms(tick.frame_ns):
            return None
        return claim

    def _hold(self) -> bool:
        """Whether to wait a tick: only what is received then tells lost time from a jump of it."""
        newest = self._recent[-1]
        self._held = newest.number == self._number and (
            newest.stall.work_ns > newest.stall.whole_ns // 2
            and self._arrival_rate * newest.stall.work_ns >= matrix.MIN_ARRIVALS
            and max(attribute(newest.stall, newest.growth).values())
            == attribute(newest.stall, newest.growth).get("loop-block")
        )
        return self._held

    def _release(self, tick: Tick) -> bool:
        """Complete what was held; whether there was anything."""
        held, self._held = self._held, False
        if held:
            seen = self._recent.pop()
            unserved = self._unserved(tick, seen.stall.work_ns)
            self._recent.append(seen._replace(stall=seen.stall._replace(unserved=unserved)))
        return held

    def _stall(self, tick: Tick, before: Accounts, ahead_ns: int) -> Stall:
        """What this tick lost since the look before: lateness that is new, and overlong work."""
        due_ns = max(tick.waited_for_ns, self._look_ns)
        new_ns = max(0, tick.woke_ns - due_ns - ahead_ns)
        late_code_ns = min(new_ns, max(0, tick.began_wait_ns - due_ns))
        work_ns = tick.work_ns if tick.work_ns >= tick.frame_ns else 0
        stopped = tick.accounts.continued > before.continued
        lost_ns = new_ns + work_ns
        together = tick.others_silent_ns > max(lost_ns // 2, 4 * tick.frame_ns)
        return Stall(
            new_ns - late_code_ns,
            late_code_ns + work_ns,
            work_ns,
            stopped or together,
            self._unserved(tick, new_ns),
        )

    def _unserved(self, tick: Tick, lost_ns: int) -> bool:
        expected = self._arrival_rate * lost_ns
        beyond = tick.received - self._arrival_rate * tick.frame_ns
        return expected >= matrix.MIN_ARRIVALS and beyond < _SOME * expected

    def _node_growth(self, node: NodeAccounts | None) -> NodeGrowth:
        """Since the look before; of steal what is unusual, of the CPU that has most of it."""
        before = self._node
        if node is None or before is None:
            return NOTHING
        passed_ns = node.at_ns - before.at_ns
        steal_ns = 0
        rates = self._steal_rate or (0.0,) * len(node.steal_ns)
        for old, new, rate in zip(before.steal_ns, node.steal_ns, rates, strict=False):
            steal_ns = max(steal_ns, new - old - int(rate * passed_ns))
        throttled_ns = node.ancestors_throttled_ns - before.ancestors_throttled_ns
        return NodeGrowth(max(0, throttled_ns), steal_ns, self._spent)

    def _keep(self, tick: Tick) -> None:
        passed_ns = tick.look_ns - self._look_ns
        # A backlog after a gap is not the usual rate.
        calm = not self._recent or self._number - self._recent[-1].number > matrix.WINDOW_TICKS
        if self._accounts is not None and calm and 0 < passed_ns < 2 * tick.frame_ns:
            rate = tick.received / passed_ns
            self._arrival_rate += (rate - self._arrival_rate) * _SMOOTH / 10
        self._accounts, self._look_ns = tick.accounts, tick.look_ns
        node, before = tick.node, self._node
        if node is None:
            return
        self._node = node
        if before is not None and node.at_ns > before.at_ns:
            self._learn(before, node)

    def _learn(self, before: NodeAccounts, node: NodeAccounts) -> None:
        """The usual rates, from whole seconds only: a late tick asks for a look of its own."""
        passed_ns = node.at_ns - before.at_ns
        pressed_ns = max(0, node.pressure_ns - before.pressure_ns)
        self.pressure_share = min(1.0, pressed_ns / passed_ns)
        if passed_ns < NS_PER_S * 3 // 4 or len(before.steal_ns) != len(node.steal_ns):
            return
        rates = self._steal_rate or (0.0,) * len(node.steal_ns)
        pairs = zip(rates, before.steal_ns, node.steal_ns, strict=False)
        self._steal_rate = tuple(
            rate + (min(1.0, max(0, new - old) / passed_ns) - rate) * _SMOOTH
            for rate, old, new in pairs
        )

    def _faulty(self, frame_ns: int) -> list[_Seen]:
        """The stalls that are too much together; empty when they are not."""
        short = self._last(matrix.WINDOW_TICKS)
        steady = sum(one.stall.whole_ns >= matrix.STEADY_NS for one in short)
        if _sum_ns(short) >= _limit_ns(frame_ns) or steady >= matrix.STEADY_TICKS:
            return short
        great = self._last(matrix.LONG_TICKS, frame_ns // 2)
        return great if len(great) >= matrix.LONG_STALLS else []

    def _harms(self, frame_ns: int) -> bool:
        """Whether whole frames are lost, which is what a node is to blame for: on every shared one
        somebody computes beside us, and the rest of his slice is waited for without harm."""
        short = map(_kept_from_work_ns, self._last(matrix.WINDOW_TICKS, frame_ns // 2))
        if sum(short) >= _limit_ns(frame_ns):
            return True
        long = map(_kept_from_work_ns, self._last(matrix.LONG_TICKS, frame_ns))
        return sum(lost_ns >= frame_ns for lost_ns in long) >= matrix.LONG_STALLS

    def _last(self, ticks: int, least_ns: int = 0) -> list[_Seen]:
        """The stalls of so many ticks that lost so much each."""
        return [
            seen
            for seen in self._recent
            if self._number - seen.number < ticks and seen.stall.whole_ns >= least_ns
        ]

    def _claim(self, seen: list[_Seen]) -> Claim:
        """The cause with the greatest share of these losses that the newest one shows as well."""
        total: Shares = {}
        share: Shares = {}
        for one in seen:
            share = attribute(one.stall, one.growth)
            for name, share_ns in share.items():
                total[name] = total.get(name, 0) + share_ns
        # The newest tick has a say in what its own harm is counted as, the sum has the most.
        part_ns = seen[-1].stall.whole_ns // _PART
        own = [name for name, share_ns in share.items() if share_ns >= part_ns]
        kind = max(own, key=lambda name: total[name])
        lost_ns = sum(one.stall.whole_ns for one in seen)
        evidence = (
            ms("lost", lost_ns),
            Evidence("ticks", len(seen), "count"),
            Evidence("explained", total[kind] / max(1, lost_ns), "share"),
            *_figures([one.growth for one in seen]),
            *((Evidence("quota used", self._spent, "share"),) if self._spent else ()),
            Evidence("pressure", self.pressure_share, "share"),
        )
        # Harm is told once: the newest tick's, as the others were told when they came.
        return Claim(kind, seen[0].begin_ns, seen[-1].stall.whole_ns, evidence)


def _kept_from_work_ns(seen: _Seen) -> int:
    """What a stall lost without what its own code computed meanwhile."""
    return seen.stall.whole_ns - min(seen.stall.code_ns, seen.growth.own_cpu_ns)


def _sum_ns(seen: list[_Seen]) -> int:
    return sum(one.stall.whole_ns for one in seen)


def _limit_ns(frame_ns: int) -> int:
    """So much lost within ``WINDOW_TICKS`` is a fault."""
    return max(matrix.STALL_FRAMES * frame_ns, matrix.MIN_STALL_NS)


def _figures(growths: list[Growth]) -> tuple[Evidence, ...]:
    """Every account that grew by a millisecond or more."""
    named = (
        ("own CPU", sum(g.own_cpu_ns for g in growths)),
        ("other threads' CPU", sum(g.others_cpu_ns for g in growths)),
        ("run-queue delay", sum(g.run_delay_ns for g in growths)),
        ("throttled", sum(g.throttled_ns for g in growths)),
        ("gc", sum(g.gc_ns for g in growths)),
        ("ancestors throttled", sum(g.ancestors_ns for g in growths)),
        ("unusual steal", sum(g.steal_ns for g in growths)),
    )
    return tuple(ms(name, value) for name, value in named if value >= NS_PER_MS)
