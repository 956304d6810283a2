"""What the media process does with an order, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from fakes.door import segment
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.chaos import Injection
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.chaos import Chaos

TICK_NS = 20 * NS_PER_MS


@dataclass
class World:
    """One media process; ``stopped`` has the moments and lengths of stops."""

    segment: Segment = field(default_factory=segment)
    true_ns: int = 1_000 * NS_PER_S
    worn: Injection | None = None
    stopped: list[tuple[int, int]] = field(default_factory=list)
    no_timer: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """The process, or the one after it, whose readings are the clocks' own."""
        self.worn = None
        self.chaos = Chaos(
            self.segment,
            put_on=self._put_on,
            take_off=lambda: self._put_on(None),
            stop_for=self._stop,
            truth=lambda: self.true_ns,
        )

    def _put_on(self, injection: Injection | None) -> None:
        self.worn = injection

    def _stop(self, duration_ns: int) -> None:
        if self.no_timer:
            raise OSError("no timer")
        self.stopped.append((self.true_ns, duration_ns))
        self.true_ns += duration_ns

    def order(self, kind: Any = "step", seconds: float = 4, **parts: Any) -> Injection:
        until_ns = self.true_ns + int(seconds * NS_PER_S)
        made = Injection("i1", kind, self.true_ns, until_ns, **parts)
        self.segment.tables["control"].write(layout.CONTROL_CHAOS, made.to_bytes())
        return made

    def passes(self, seconds: float) -> None:
        until_ns = self.true_ns + int(seconds * NS_PER_S)
        while self.true_ns < until_ns:
            self.chaos.look()
            self.true_ns += TICK_NS


@pytest.fixture
def world() -> World:
    return World()


def test_an_order_is_taken_up_at_the_next_tick_and_ends_at_its_deadline(world: World) -> None:
    world.passes(1)
    assert world.worn is None
    made = world.order()
    world.passes(3.9)
    assert world.worn == made
    world.passes(0.2)
    assert world.worn is None, "nobody had to say so"


def test_a_withdrawn_order_ends_at_once(world: World) -> None:
    world.order()
    world.passes(1)
    world.segment.tables["control"].clear(layout.CONTROL_CHAOS)
    world.passes(0.04)
    assert world.worn is None


def test_the_next_process_goes_on_with_the_rest_and_not_longer(world: World) -> None:
    made = world.order()
    world.passes(1)
    world.start()
    world.passes(1)
    assert world.worn == made
    world.start()
    world.true_ns += 2 * NS_PER_S
    world.passes(0.1)
    assert world.worn is None, "the deadline was while nobody ran"


def test_a_row_in_the_middle_of_being_written_is_looked_at_again(world: World) -> None:
    made = world.order()
    sequences = world.segment.tables["control"].sequences
    sequences.flags.writeable = True
    sequences[layout.CONTROL_CHAOS] += 1
    world.passes(0.1)
    assert world.worn is None
    sequences[layout.CONTROL_CHAOS] += 1
    world.passes(0.1)
    assert world.worn == made


def test_a_freeze_stops_once_a_period_and_never_beyond_the_deadline(world: World) -> None:
    began = world.order("freeze", 3.1, stop_ns=400 * NS_PER_MS, period_ns=NS_PER_S).began_ns
    world.passes(6)
    at = [(moment - began) / NS_PER_S for moment, _ in world.stopped]
    assert at == pytest.approx([1, 2, 3], abs=0.03)
    assert [length // NS_PER_MS for _, length in world.stopped[:2]] == [400, 400]
    last_at, last_ns = world.stopped[2]
    assert last_at + last_ns == began + int(3.1 * NS_PER_S)


def test_a_process_that_cannot_be_continued_is_not_stopped_again_and_again(world: World) -> None:
    world.no_timer = True
    world.order("freeze", 10, stop_ns=NS_PER_MS, period_ns=NS_PER_S)
    world.passes(5)
    assert world.worn is None
