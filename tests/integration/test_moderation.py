"""Mutes, gains, locks, kicks and hand-overs as they are heard."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from harness.events import events, until_event
from harness.listening import ABSENT_DB, hears, loudness, until, until_heard, until_silent
from harness.party import Party
from harness.webrtc import WebRtcLeg, offer

Switch = Callable[[Party, WebRtcLeg, bool], None]


def _mute_oneself(room: Party, leg: WebRtcLeg, on: bool) -> None:
    status, answer, _ = room.call("PATCH", f"/legs/{leg.id}", {"muted": on}, leg.token)
    assert (status, answer["muted"]) == (200, on)


def _mute_all(room: Party, _: WebRtcLeg, on: bool) -> None:
    assert room.call("PATCH", "", {"muteAll": on})[0] == 200


@pytest.mark.parametrize("switch", [_mute_oneself, _mute_all])
def test_a_mute_is_heard_and_so_is_its_end(room: Party, switch: Switch) -> None:
    web, ear = room.dial(440.0, "web"), room.dial(None, "ear")
    room.dial(1_100.0, "company", role="moderator")
    until_heard(ear, 440.0)
    switch(room, web, True)
    until_silent(ear, 440.0)
    switch(room, web, False)
    until_heard(ear, 440.0)


def test_mute_all_spares_the_moderator(room: Party) -> None:
    room.dial(440.0, "speaker")
    room.dial(1_100.0, "moderator", role="moderator")
    ear = room.dial(None, "ear")
    until_heard(ear, 440.0)
    _mute_all(room, ear, True)
    until_silent(ear, 440.0)
    until_heard(ear, 1_100.0)


def test_gain_changes_how_loud_a_leg_is_for_all(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    until_heard(ear, 440.0)
    before = hears(ear, 440.0)
    room.patch(web, gainDb=-12.0)
    until(lambda: abs(hears(ear, 440.0, 10) - before + 12.0) < 1.5, what="not 12 dB softer")


def test_hears_is_for_one_listener_alone(room: Party) -> None:
    web, one = room.dial(440.0, "web"), room.dial(None, "one")
    other = room.join(None, "other")
    room.join(1_100.0, "company")
    until_heard(one, 440.0)
    _hears(room, one, {web.id: "mute"})
    until_silent(one, 440.0)
    until_heard(other, 440.0)
    _hears(room, one, {web.id: None})
    until_heard(one, 440.0)


def _hears(room: Party, leg: WebRtcLeg, wanted: dict[str, str | None]) -> None:
    status, answer, _ = room.call("PATCH", f"/legs/{leg.id}", {"hears": wanted}, leg.token)
    assert status == 200, answer


def test_a_speaker_may_neither_mute_others_nor_change_a_gain(room: Party) -> None:
    web, other = room.dial(None, "web"), room.dial(None, "other")
    for target, change in ((other, {"muted": True}), (web, {"gainDb": 6.0})):
        status, answer, _ = room.call("PATCH", f"/legs/{target.id}", change, web.token)
        assert (status, answer["error"]) == (403, "forbidden")


def test_the_kicked_are_gone_and_their_token_is_refused(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    room.join(1_100.0, "company")
    until_heard(ear, 440.0)
    with events(room.mixer, room.token, room.home) as stream:
        assert room.call("DELETE", f"/legs/{web.id}")[0] == 204
        assert until_event(stream, "kicked").data["id"] == web.id
        assert until_event(stream, "left", id=web.id).data["reason"] == "kicked"
    until_silent(ear, 440.0)
    known = time.monotonic_ns()
    dropped = 'voiceroom_rx_dropped_total{reason="stun_unknown_user"}'
    before = room.mixer.metrics()[dropped]
    until(lambda: room.mixer.metrics()[dropped] > before, what="its check was answered")
    assert not [at for at, _ in web.check_answers if at > known]
    status, answer = _offer(room, web.token)
    assert (status, answer["error"]) == (403, "kicked")


def _offer(room: Party, token: str, query: str = "") -> tuple[int, dict[str, str]]:
    leg = WebRtcLeg(None)
    path = f"/rooms/{room.home}/whip{query}"
    body = offer(leg.ice)
    status, answer, _ = room.mixer.call("POST", path, token, body, Content_Type="application/sdp")
    leg.close()
    return status, answer


def test_a_locked_room_lets_back_in_only_who_was_there(room: Party) -> None:
    web = room.dial(440.0, "web")
    assert room.call("PATCH", "", {"locked": True})[0] == 200
    status, answer = _offer(room, room.sign("speaker", "late"))
    assert (status, answer["error"]) == (403, "locked")
    again = room.dial(440.0, "web", token=web.token, replaces=web.id)
    until(lambda: [p["id"] for p in room.room()["participants"]] == [again.id])


@pytest.mark.timing
def test_a_leg_that_replaces_another_is_never_heard_twice_nor_hears_itself(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    room.join(2_300.0, "company")
    room.patch(web, gainDb=-6.0)
    until(lambda: abs(hears(ear, 440.0, 10) + 18.0) < 1.5, what="not 6 dB softer")
    begun = len(ear.heard)
    again = room.dial(440.0, "web", token=web.token, replaces=web.id)
    until(lambda: len(room.room()["participants"]) == 3, what="the old leg is still there")
    until_heard(again, 2_300.0)
    assert hears(again, 440.0) < ABSENT_DB
    assert room.participant(again.id)["gainDb"] == -6.0
    # Twice the same voice would be 6 dB louder for a while, in whatever phase.
    assert max(loudness(ear.heard[begun:], 440.0)) < -18.0 + 3.5
    until(lambda: abs(hears(ear, 440.0, 10) + 18.0) < 1.5, what="the new leg is not heard")
