"""A twin's ear for its owner."""

from __future__ import annotations

import pytest

from voiceroom_mixer.core.moving.messages import Ask, Beat, Tell
from voiceroom_mixer.core.moving.watch import (
    ANSWER_NS,
    BEAT_NS,
    HEARD_NS,
    OWN_STALL_NS,
    SILENCE_NS,
    Phase,
    Watch,
)

POD = b"p" * 8
TICK_NS = 20_000_000


@pytest.fixture
def watch() -> Watch:
    """Heard at 0."""
    made = Watch(POD)
    assert made.beat(Beat(POD, 1), 0)
    return made


def run(watch: Watch, since_ns: int, until_ns: int, nonce: int = 7) -> list[tuple[int, Ask]]:
    """Look every tick; the questions and when they were asked."""
    looks = ((now, watch.look(now, lambda: nonce)) for now in range(since_ns, until_ns, TICK_NS))
    return [(now, ask) for now, ask in looks if ask is not None]


def test_who_beats_is_never_doubted(watch: Watch) -> None:
    for n in range(2, 200):
        now = n * BEAT_NS
        assert watch.beat(Beat(POD, n), now)
        assert run(watch, now, now + BEAT_NS) == []


def test_silence_is_doubted_after_400_ms_and_gone_100_ms_later(watch: Watch) -> None:
    assert run(watch, 0, SILENCE_NS + TICK_NS) == [(SILENCE_NS, Ask(POD, 7))]
    run(watch, SILENCE_NS + TICK_NS, SILENCE_NS + ANSWER_NS)
    before = watch.phase
    run(watch, SILENCE_NS + ANSWER_NS, SILENCE_NS + ANSWER_NS + 1)
    assert (before, watch.phase) == (Phase.DOUBTED, Phase.GONE)


def test_what_ticks_take_does_not_put_the_decision_off_by_one(watch: Watch) -> None:
    """Asked at the end of a tick that took 4 ms; five ticks later one takes 1 ms."""
    end_ns = SILENCE_NS + ANSWER_NS - 3_000_000
    phases = [_phase_at(watch, now_ns) for now_ns in (SILENCE_NS, end_ns - TICK_NS, end_ns)]
    assert phases == [Phase.DOUBTED, Phase.DOUBTED, Phase.GONE]


def _phase_at(watch: Watch, now_ns: int) -> Phase:
    watch.look(now_ns, lambda: 7)
    return watch.phase


def test_one_yes_is_a_veto_and_silence_begins_anew(watch: Watch) -> None:
    run(watch, 0, SILENCE_NS + TICK_NS)
    watch.told(Tell(7, False), SILENCE_NS + TICK_NS)
    assert watch.phase is Phase.DOUBTED
    watch.told(Tell(7, True), SILENCE_NS + 2 * TICK_NS)
    (again,) = run(watch, SILENCE_NS + 2 * TICK_NS, 2 * SILENCE_NS + 3 * TICK_NS)
    assert again[0] >= 2 * SILENCE_NS


def test_a_yes_to_another_question_is_none(watch: Watch) -> None:
    run(watch, 0, SILENCE_NS + TICK_NS)
    watch.told(Tell(8, True), SILENCE_NS + TICK_NS)
    assert watch.phase is Phase.DOUBTED


def test_a_beat_in_time_ends_the_doubt(watch: Watch) -> None:
    run(watch, 0, SILENCE_NS + TICK_NS)
    assert watch.beat(Beat(POD, 2), SILENCE_NS + TICK_NS)
    assert run(watch, SILENCE_NS + 2 * TICK_NS, SILENCE_NS + ANSWER_NS + TICK_NS) == []
    assert watch.phase is Phase.HEARD


@pytest.mark.parametrize("beat", [Beat(POD, 1), Beat(POD, 0), Beat(b"q" * 8, 9)])
def test_a_replayed_or_foreign_beat_is_none(watch: Watch, beat: Beat) -> None:
    assert not watch.beat(beat, 100)
    assert watch.heard_ns == 0


def test_who_was_never_heard_is_not_missed() -> None:
    watch = Watch(POD)
    assert run(watch, 0, 10 * SILENCE_NS) == []
    assert watch.phase is Phase.UNKNOWN


def test_a_twin_that_was_stalled_itself_listens_again_first(watch: Watch) -> None:
    watch.look(TICK_NS, lambda: 7)
    woke = 3 * SILENCE_NS
    assert woke - TICK_NS > OWN_STALL_NS
    assert watch.look(woke, lambda: 7) is None
    assert watch.phase is Phase.HEARD
    assert [now for now, _ in run(watch, woke, woke + SILENCE_NS + TICK_NS)] == [woke + SILENCE_NS]


def test_a_twin_stalled_in_doubt_does_not_decide_on_waking(watch: Watch) -> None:
    run(watch, 0, SILENCE_NS + TICK_NS)
    watch.look(SILENCE_NS + 2 * ANSWER_NS + OWN_STALL_NS, lambda: 7)
    assert watch.phase is Phase.HEARD


def test_it_speaks_for_whom_it_heard_just_now_only(watch: Watch) -> None:
    assert watch.hears(HEARD_NS)
    assert not watch.hears(HEARD_NS + 1)
    assert not Watch(POD).hears(0)


def test_who_is_trusted_without_a_beat_was_not_heard(watch: Watch) -> None:
    run(watch, 0, SILENCE_NS + TICK_NS)
    watch.told(Tell(7, True), SILENCE_NS + TICK_NS)
    assert watch.phase is Phase.HEARD
    assert watch.heard_ns == 0
    said = watch.hears(SILENCE_NS + TICK_NS)
    assert not said, "else two that ask each other keep a dead one alive"
