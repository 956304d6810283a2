"""A mixer that hardly gets to run steps down by itself, and the call goes on."""

from __future__ import annotations

import pytest

from harness.events import live_figures
from harness.faults import pressed
from harness.listening import tone_is_whole, until, until_heard
from harness.party import Party

LEVEL = "voiceroom_ladder_level"
BREAKER = "voiceroom_breaker_state"
DOWN = 'voiceroom_ladder_steps_total{direction="down"}'
PASSED = 'voiceroom_passed_on_packets_total{result="sent"}'
PRESSED_S, CALM_S = 40.0, 40.0


@pytest.mark.timing
def test_it_takes_nobody_in_at_the_last_level_and_who_is_in_hears_the_loudest(
    party: Party,
) -> None:
    mixer = party.mixer
    speaker = party.dial(440.0, "speaker", levels=True)
    ear = party.dial(None, "ear", levels=True)
    until_heard(ear, 440.0)
    assert mixer.metrics()[LEVEL] == mixer.metrics()[BREAKER] == 0
    body = {"kind": "rtp", "ip": "127.0.0.1", "port": 9, "payloadType": 111, "identity": "late"}
    with pressed(mixer):
        until(lambda: mixer.metrics()[BREAKER] == 2, PRESSED_S, "the breaker stays closed")
        until(lambda: mixer.metrics()[LEVEL] == 5, PRESSED_S, "the ladder stays up")
        status, answer, headers = party.call("POST", "/legs", body | {"role": "speaker"})
    assert (status, answer["error"]) == (503, "pod_full")
    assert int(headers["Retry-After"]) > 0
    assert party.room()["ticks"]["level"] == 5

    until(lambda: mixer.metrics()[BREAKER] == 0, CALM_S, "the breaker stays open")
    before = mixer.metrics()
    assert (before[LEVEL], before[DOWN]) == (5, 5)
    begun = len(ear.heard)
    ear.wait_packets(100)
    tone_is_whole(ear, begun, 440.0)
    after = mixer.metrics()
    assert after["voiceroom_encodes_total"] == before["voiceroom_encodes_total"]
    assert after["voiceroom_decodes_total"] == before["voiceroom_decodes_total"]
    assert after[PASSED] - before[PASSED] >= 90
    assert speaker.refused == ear.refused == [], "no packet that SRTP does not take"
    until(lambda: mixer.metrics()[LEVEL] == 4, CALM_S, "no step up after 30 s of calm")
    assert party.call("POST", "/legs", body | {"role": "speaker"})[0] == 201


@pytest.mark.timing
def test_people_are_told_in_plain_words(party: Party) -> None:
    with live_figures(party.mixer, party.token, "timing") as told:
        assert next(told)["words"] == "The room keeps time."
        with pressed(party.mixer):
            pressing = next(timing for timing in told if timing["level"])
    assert pressing["words"].startswith("The server is")
