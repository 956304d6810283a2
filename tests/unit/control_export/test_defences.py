"""What is told of breaker and ladder: of several media processes the worst."""

from __future__ import annotations

import logging

import pytest

from fakes.door import segment
from voiceroom_mixer.control.export import defences
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.measures import LEVELS
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.edge.shm import Segment


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ((Breaker.CLOSED, Breaker.CLOSED), "closed"),
        ((Breaker.HALF_OPEN, Breaker.CLOSED), "half-open"),
        ((Breaker.HALF_OPEN, Breaker.OPEN), "open"),
    ],
)
def test_the_worst_breaker_of_a_pod_is_told(states: tuple[Breaker, ...], said: str) -> None:
    segments = [segment() for _ in states]
    for one, state in zip(segments, states, strict=True):
        one.counters[stats.INDEX["breaker_state"]] = state
    assert defences.breaker(segments) == said


def press(memory: Segment, level: int, breaker: Breaker = Breaker.CLOSED) -> None:
    memory.counters[stats.INDEX["ladder_level"]] = level
    memory.counters[stats.INDEX["breaker_state"]] = breaker


def test_people_are_told_in_plain_words_what_has_been_taken_away() -> None:
    calm, pressed = segment(), segment()
    assert defences.pressure([calm])["words"] == "The room keeps time."
    press(pressed, 4)
    said = defences.pressure([calm, pressed])
    assert (said["level"], said["breaker"]) == (4, "closed")
    assert said["words"] == LEVELS[4].said
    words = " ".join(measures.said for measures in LEVELS)
    assert not {"Opus", "FEC", "breaker", "jitter"} & set(words.split())


def test_joins_are_refused_by_the_process_that_is_at_the_last_level() -> None:
    calm, pressed = segment(), segment()
    press(pressed, 5)
    assert (defences.refuses(calm), defences.refuses(pressed)) == (False, True)


def test_each_change_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    memory = segment()
    log = defences.PressureLog([memory])
    with caplog.at_level(logging.INFO):
        log.look()
        press(memory, 1, Breaker.OPEN)
        log.look()
        log.look()
        press(memory, 1, Breaker.HALF_OPEN)
        log.look()
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, logging.INFO]
    assert "level 1 of 5 (chores wait, cheaper Opus), breaker open" in caplog.text
