from __future__ import annotations

import pytest

from voiceroom_mixer.core.mix.talkers import Candidate, TalkerChooser, TalkEvent


def run(chooser: TalkerChooser, levels: dict[int, int], frames: int) -> tuple[int, ...]:
    for _ in range(frames):
        seats = chooser.update([Candidate(slot, level) for slot, level in levels.items()])
    return seats


def test_the_loudest_are_heard() -> None:
    assert run(TalkerChooser(2, 20), {1: 40, 2: 20, 3: 30}, 1) == (2, 3)


def test_no_limit_means_everybody_who_is_not_silent() -> None:
    assert set(run(TalkerChooser(0, 20), {1: 40, 2: 20, 3: 59, 4: 60, 5: 127}, 1)) == {1, 2, 3}


def test_a_quiet_voice_counts_when_its_sender_says_so() -> None:
    chooser = TalkerChooser(0, 20)
    heard = [Candidate(1, 70, voice=True), Candidate(2, 70), Candidate(3, 127, voice=True)]
    assert chooser.update(heard) == (1,)


def test_equal_levels_are_decided_by_slot() -> None:
    assert run(TalkerChooser(2, 20), {9: 30, 4: 30, 7: 30}, 1) == (4, 7)


def test_who_talks_is_not_pushed_out_by_a_little_more() -> None:
    chooser = TalkerChooser(1, 20)
    run(chooser, {1: 30}, 20)
    assert run(chooser, {1: 30, 2: 26}, 50) == (1,)
    assert run(chooser, {1: 30, 2: 22}, 50) == (2,)


def test_two_equals_do_not_flutter() -> None:
    chooser = TalkerChooser(1, 20)
    run(chooser, {1: 30}, 5)
    seats = {run(chooser, {1: 32 - 4 * (at % 2), 2: 28 + 4 * (at % 2)}, 1) for at in range(200)}
    assert seats == {(1,)}


def test_a_breath_does_not_cost_the_seat_but_silence_does() -> None:
    chooser = TalkerChooser(3, 20)
    run(chooser, {1: 30}, 20)
    assert run(chooser, {}, 19) == (1,)
    assert run(chooser, {}, 1) == ()


def test_a_waiting_talker_gets_the_seat_of_one_who_pauses() -> None:
    chooser = TalkerChooser(1, 20)
    run(chooser, {1: 30}, 20)
    assert run(chooser, {2: 30}, 4) == (1,)
    assert run(chooser, {2: 30}, 2) == (2,)


@pytest.mark.parametrize("frame_ms", [10, 20, 40])
def test_talking_shows_within_100_ms_and_ends_after_400(frame_ms: int) -> None:
    chooser = TalkerChooser(3, frame_ms)
    elapsed = 0
    while not (events := chooser.events()):
        run(chooser, {5: 30}, 1)
        elapsed += frame_ms
    assert events == [TalkEvent(5, True)]
    assert 40 < elapsed <= 100
    run(chooser, {5: 30}, 20)
    assert chooser.events() == []
    elapsed = 0
    while not (events := chooser.events()):
        run(chooser, {}, 1)
        elapsed += frame_ms
    assert events == [TalkEvent(5, False)]
    assert 400 <= elapsed <= 440


def test_a_cough_is_not_talk() -> None:
    chooser = TalkerChooser(3, 20)
    for _ in range(10):
        run(chooser, {5: 20}, 1)
        run(chooser, {}, 3)
    assert chooser.events() == []


def test_words_with_gaps_are_one_talk() -> None:
    chooser = TalkerChooser(3, 20)
    for _ in range(10):
        run(chooser, {5: 30}, 20)
        run(chooser, {}, 15)
    assert chooser.events() == [TalkEvent(5, True)]


def test_who_is_forgotten_stops_talking_at_once() -> None:
    chooser = TalkerChooser(3, 20)
    run(chooser, {5: 30, 6: 30}, 10)
    chooser.events()
    chooser.forget(5)
    chooser.forget(99)
    assert chooser.events() == [TalkEvent(5, False)]
    assert run(chooser, {6: 30}, 1) == (6,)


def test_the_silent_cost_no_memory() -> None:
    chooser = TalkerChooser(3, 20)
    run(chooser, dict.fromkeys(range(500), 90), 3)
    assert not any(chooser.knows(slot) for slot in range(500))
