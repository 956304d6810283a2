"""A room changes hands over a network that loses, delays, repeats and is cut: whatever happens, no
SRTP index is used twice, no epoch is mixed by two, and somebody mixes in the end."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.moving.epochs import given_anew, ssrc_of
from voiceroom_mixer.core.moving.messages import Epoch, LegCut, Message, Stopped, StoppedAck
from voiceroom_mixer.core.moving.owner import Order, Owner
from voiceroom_mixer.core.moving.successor import Start, Successor

ROOM, LEG = b"r" * 8, b"l" * 12
TICK_NS = 20 * NS_PER_MS
FIRST_SSRC = 1_000
CUT = 20
END = 120
"""Ticks."""
OLD_EPOCH = 3
NEW_EPOCH = given_anew(OLD_EPOCH)


@dataclass
class Network:
    """Datagrams between the two, late, twice or never."""

    rng: random.Random
    loss: float
    cut_from: int
    """Tick from which nothing arrives at all."""
    heal_at: int
    _queue: list[tuple[int, int, str, Message]] = field(default_factory=list)
    _n: int = 0

    def send(self, now_ns: int, to: str, message: Message) -> None:
        """Each copy has its own luck."""
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            if self.rng.random() < self.loss:
                continue
            self._n += 1
            late_ns = self.rng.randrange(0, 60) * NS_PER_MS
            heapq.heappush(self._queue, (now_ns + late_ns, self._n, to, message))

    def arrivals(self, now_ns: int) -> list[tuple[str, Message]]:
        """What has come by now; nothing while the network is cut."""
        due = []
        while self._queue and self._queue[0][0] <= now_ns:
            _, _, to, message = heapq.heappop(self._queue)
            if not self.cut_from <= now_ns // TICK_NS < self.heal_at:
                due.append((to, message))
        return due


@dataclass
class World:
    """Both pods, the operator that orders the cut, and every packet that was sent."""

    network: Network
    stalled: range
    """Ticks in which the owner does not run."""
    order_at: int
    sent: Counter[tuple[int, int]] = field(default_factory=Counter)
    """(SSRC, SRTP index)."""
    mixed: Counter[tuple[int, int]] = field(default_factory=Counter)
    """(epoch, tick)."""
    index: int = 500
    owner: Owner = field(default_factory=lambda: Owner(ROOM, OLD_EPOCH))
    successor: Successor = field(
        default_factory=lambda: Successor(ROOM, NEW_EPOCH, owner_epoch=OLD_EPOCH)
    )
    began: Start | None = None
    new_index: int = 0
    new_ssrc: int = FIRST_SSRC

    def run(self) -> None:
        """All ticks."""
        self.successor.prepared()
        for tick in range(END):
            now_ns = tick * TICK_NS
            for to, message in self.network.arrivals(now_ns):
                self._take(to, message, tick, now_ns)
            if tick == self.order_at:
                self.owner.cut_at(Order("m", CUT, b"s" * 8, NEW_EPOCH), tick)
                self.successor.cut_ordered(now_ns)
            if tick not in self.stalled:
                self._owner_tick(tick, now_ns)
            self._successor_tick(tick, now_ns)

    def _take(self, to: str, message: Message, tick: int, now_ns: int) -> None:
        match message:
            case Stopped():
                if (ack := self.successor.word(message)) is not None:
                    self.network.send(now_ns, "owner", ack)
            case StoppedAck():
                self.owner.heard(message)
            case Epoch(_, epoch):
                if tick not in self.stalled and self.owner.outranked(epoch):
                    self._stop(tick, now_ns)

    def _stop(self, tick: int, now_ns: int) -> None:
        self.owner.stopped(tick, (LegCut(LEG, self.index, 1, 0, 7, 9, 2),), now_ns)

    def _owner_tick(self, tick: int, now_ns: int) -> None:
        if self.owner.stopped_tick < 0 and self.owner.stops_at(tick):
            self._stop(tick, now_ns)
        if self.owner.stopped_tick < 0:
            self.mixed[OLD_EPOCH, tick] += 1
            self.sent[FIRST_SSRC, self.index] += 1
            self.index += 1
        for word in self.owner.words(now_ns):
            self.network.send(now_ns, "successor", word)

    def _successor_tick(self, tick: int, now_ns: int) -> None:
        if (start := self.successor.start(now_ns)) is not None:
            self._begin(start)
        if not self.successor.mixes:
            return
        self.mixed[NEW_EPOCH, tick] += 1
        self.sent[self.new_ssrc, self.new_index] += 1
        self.new_index += 1
        self.network.send(now_ns, "owner", Epoch(ROOM, NEW_EPOCH))

    def _begin(self, start: Start) -> None:
        self.began = start
        if start.cuts:
            self.new_index = start.cuts[0].tx_index
        else:
            self.new_ssrc = ssrc_of(FIRST_SSRC, NEW_EPOCH)


def world(seed: int, loss: float, cut: tuple[int, int], stalled: range, order_at: int = 5) -> World:
    network = Network(random.Random(seed), loss, cut[0], cut[0] + cut[1])
    return World(network, stalled, order_at)


@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from((0.0, 0.2, 0.6, 1.0)),
    cut=st.tuples(st.integers(0, 60), st.integers(0, END)),
    stall=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    order_at=st.integers(0, CUT),
)
def test_whatever_happens_nothing_is_used_twice_and_somebody_mixes(
    seed: int, loss: float, cut: tuple[int, int], stall: tuple[int, int], order_at: int
) -> None:
    this = world(seed, loss, cut, range(stall[0], sum(stall)), order_at)
    this.run()
    assert max(this.sent.values()) == 1, "an SRTP index was used twice"
    assert max(this.mixed.values()) == 1, "an epoch was mixed by two"
    assert this.mixed[NEW_EPOCH, END - 1] == 1, "nobody mixes"


@given(seed=st.integers(0, 2**32))
def test_an_orderly_move_goes_on_with_the_next_index(seed: int) -> None:
    this = world(seed, 0.3, (0, 0), range(0))
    this.run()
    assert this.began is not None
    if this.began.cuts:
        assert this.began.tick == CUT
        assert this.new_ssrc == FIRST_SSRC
        indexes = [index for _, index in this.sent]
        assert sorted(indexes) == list(range(500, 500 + len(indexes))), "not one is missing"


def test_on_a_whole_network_no_tick_is_without_a_mix() -> None:
    network = Network(random.Random(1), 0.0, 0, 0)
    network.rng.randrange = lambda *_: 0  # type: ignore[method-assign]  # nothing is late
    this = World(network, range(0), 5)
    this.run()
    ticks = Counter(tick for _, tick in this.mixed)
    missing = [tick for tick in range(END) if ticks[tick] == 0]
    assert missing == [CUT], "only the word's own way is between the two"
    assert max(ticks.values()) == 1
