"""The breaker among invented machines: what opens it, what does not, and whose time it goes by."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.faults import Fault, Stop
from voiceroom_driftlab.world import START_NS, World
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.guard import Guard

BEGIN_NS = START_NS + 3 * NS_PER_S


class Guarded:
    """A world with a guard; ``states`` are the breaker's, with the true second of each change."""

    def __init__(self, *faults: Fault, alarms_s: Sequence[float] = (), keeps: bool = True) -> None:
        """``alarms_s``: when the scheduler's alarm comes, in seconds; ``keeps``: see ``World``."""
        self.world, self.guard = World((7, 1), faults, keeps=keeps), Guard()
        self._alarms_ns = [START_NS + round(at_s * NS_PER_S) for at_s in alarms_s]
        self.states: list[tuple[Breaker, float]] = []
        self.levels: list[int] = [0]

    def run(self, seconds: float) -> list[Breaker]:
        world, before = self.world, self.guard.breaker.state
        end_ns = START_NS + round(seconds * NS_PER_S)
        while world.scheduler.now_ns < end_ns:
            world.tick()
            assert world.seen is not None
            detector = world.detector
            state, level = self.guard.tick(
                world.seen,
                step_ns=detector.step_ns,
                contradicts=detector.contradicts,
                alarmed=self._alarmed(),
            )
            if level != self.levels[-1]:
                self.levels.append(level)
            if state is not before:
                before = state
                self.states.append((state, (world.scheduler.now_ns - START_NS) / NS_PER_S))
        return [state for state, _ in self.states]

    def _alarmed(self) -> bool:
        """Those that came since the last tick are one, as a signal that waits is."""
        now_ns, before = self.world.scheduler.now_ns, len(self._alarms_ns)
        self._alarms_ns = [at_ns for at_ns in self._alarms_ns if at_ns > now_ns]
        return len(self._alarms_ns) < before


def vdso_step(at_s: float, step_ms: int) -> Fault:
    """The reading of MONOTONIC jumps, for good; the kernel sleeps on."""
    at_ns = START_NS + round(at_s * NS_PER_S)
    return Fault("step-one", "step", at_ns, at_ns, step_ms, step_ns=(step_ms * NS_PER_MS, 0, 0))


def there_and_back(at_s: float, step_ms: int, lasts_s: float) -> tuple[Fault, Fault]:
    """The same, and right again."""
    return vdso_step(at_s, step_ms), vdso_step(at_s + lasts_s, -step_ms)


def test_a_quiet_machine_and_one_stall_leave_it_closed() -> None:
    stop = Stop(BEGIN_NS, BEGIN_NS + 900 * NS_PER_MS, "none")
    stall = Fault("freeze", "freezer", BEGIN_NS, stop.end_ns, 900, stops=(stop,))
    assert Guarded(stall).run(15) == []


def test_a_throttled_process_opens_it() -> None:
    stops = tuple(
        Stop(BEGIN_NS + n * 100 * NS_PER_MS, BEGIN_NS + (n * 100 + 75) * NS_PER_MS, "own")
        for n in range(100)
    )
    throttle = Fault("throttle", "quota", BEGIN_NS, stops[-1].end_ns, 75, stops=stops)
    assert Guarded(throttle).run(12)[:1] == [Breaker.OPEN]


def test_a_step_that_is_believed_opens_it_within_two_ticks() -> None:
    guarded = Guarded(vdso_step(3.0, 60), keeps=False)
    guarded.run(4)
    state, second = guarded.states[0]
    assert state is Breaker.OPEN
    assert 3.0 <= second <= 3.15
    assert guarded.guard.breaker.opened is not None
    assert guarded.guard.breaker.opened.cause == "step"


def test_a_clock_that_jumps_ahead_again_and_again_does_not_shorten_its_wait() -> None:
    jumps = [there_and_back(3.0 + 0.5 * n, 400, 0.25) for n in range(9)]
    guarded = Guarded(*(jump for pair in jumps for jump in pair), keeps=False)
    guarded.run(10)
    (_, opened), (state, tried) = guarded.states[:2]
    assert state is Breaker.HALF_OPEN
    assert 4.9 <= tried - opened <= 5.6, "the reading jumped ahead by 3.6 s in all"


def test_a_step_that_is_over_is_forgotten() -> None:
    states = Guarded(*there_and_back(3.0, 60, 1.0), keeps=False).run(20)
    assert states == [Breaker.OPEN, Breaker.HALF_OPEN, Breaker.CLOSED]


@pytest.mark.parametrize("step_ms", [60, -60, 900])
def test_a_step_that_is_corrected_is_named_and_puts_off_what_can_wait(step_ms: int) -> None:
    guarded = Guarded(*there_and_back(3.0, step_ms, 3.0))
    assert guarded.run(20) == [Breaker.OPEN, Breaker.HALF_OPEN, Breaker.CLOSED]
    assert max(guarded.levels) == 1, "nobody hears it"
    kinds = [said.kind for said in guarded.world.said]
    assert kinds == ["step-one", None]


def test_a_stall_under_a_corrected_reading_is_a_stall() -> None:
    stop = Stop(BEGIN_NS + 5 * NS_PER_S, BEGIN_NS + 5_200 * NS_PER_MS, "none")
    stall = Fault("freeze", "freezer", stop.begin_ns, stop.end_ns, 200, stops=(stop,))
    guarded = Guarded(vdso_step(3.0, 60), stall)
    guarded.run(10)
    kinds = [said.kind for said in guarded.world.said]
    assert kinds[:3] == ["step-one", None, "freeze"]


def test_overload_steps_down_and_calm_steps_up_again() -> None:
    until_ns = BEGIN_NS + 5 * NS_PER_S
    overload = Fault("overload", "busy", BEGIN_NS, until_ns, 1.2, work_frames=1.2)
    guarded = Guarded(overload)
    guarded.run(8)
    worst = guarded.levels[-1]
    assert guarded.levels == list(range(worst + 1))
    assert 2 <= worst <= 4
    guarded.run(150)
    assert guarded.levels[worst:] == list(range(worst, -1, -1))
    assert guarded.guard.breaker.state is Breaker.CLOSED


def test_a_quiet_quarter_of_an_hour_takes_no_step() -> None:
    guarded = Guarded()
    guarded.run(900)
    assert guarded.levels == [0]
    assert guarded.states == []


def test_the_time_without_any_process_is_not_held_against_the_next_one() -> None:
    ticks, guard = Guarded(), Guard()
    ticks.run(1)
    assert ticks.world.seen is not None
    late = ticks.world.seen._replace(woke_ns=ticks.world.seen.waited_for_ns + 3 * NS_PER_S)
    assert guard.tick(late, step_ns=0, contradicts=False) == (Breaker.CLOSED, 0)
    assert guard.ladder.stress < 0.1


@pytest.mark.parametrize(
    "alarms_s",
    [(3.0,), (3.0, 4.0), [3.0 * n for n in range(1, 20)], [3.0 + 0.001 * n for n in range(9)]],
    ids=["one", "two", "now and then", "all before one tick"],
)
def test_a_wait_now_and_then_takes_nothing_away(alarms_s: Sequence[float]) -> None:
    guarded = Guarded(alarms_s=alarms_s)
    guarded.run(60)
    assert guarded.levels == [0]


def test_three_waits_within_five_seconds_are_one_step_and_calm_gives_it_back() -> None:
    guarded = Guarded(alarms_s=(3.0, 5.0, 7.5))
    guarded.run(7.4)
    assert guarded.levels == [0]
    guarded.run(7.6)
    assert guarded.levels == [0, 1]
    guarded.run(37)
    assert guarded.levels == [0, 1]
    guarded.run(39)
    assert guarded.levels == [0, 1, 0]


def test_a_busy_machine_that_keeps_its_ticks_never_goes_beyond_the_first_step() -> None:
    guarded = Guarded(alarms_s=range(3, 300))
    guarded.run(300)
    assert guarded.levels == [0, 1]
    assert guarded.guard.breaker.state is Breaker.CLOSED


def test_waits_in_a_row_go_on_down_where_the_work_hardly_fits() -> None:
    begin_ns, end_ns = START_NS + NS_PER_S, START_NS + 60 * NS_PER_S
    heavy = Fault("overload", "busy", begin_ns, end_ns, 0.74, work_frames=0.74)
    alone = Guarded(heavy)
    alone.run(30)
    assert alone.levels == [0], "by itself it is below the threshold"
    both = Guarded(heavy, alarms_s=range(10, 16))
    both.run(30)
    assert both.levels == [0, 1, 2]
