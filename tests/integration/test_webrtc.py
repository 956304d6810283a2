"""WebRTC legs through the real mixer: joining, hearing, leaving."""

from __future__ import annotations

import itertools

import pytest

from harness.events import events, until_event
from harness.listening import ABSENT_DB, hears, until, until_heard, until_silent
from harness.party import Party
from harness.rtp import FRAME, byes

KEEP_ALIVE_SAMPLES = 400 * 48


def test_webrtc_and_rtp_hear_each_other_and_not_themselves(room: Party) -> None:
    web, gateway = room.dial(440.0, "web"), room.join(1_100.0, "gateway")
    until_heard(web, 1_100.0)
    until_heard(gateway, 440.0)
    assert hears(web, 440.0) < ABSENT_DB
    assert hears(gateway, 1_100.0) < ABSENT_DB
    assert web.refused == []


def test_a_player_hears_and_is_never_heard(room: Party) -> None:
    talker, _ = room.dial(440.0, "talker"), room.join(2_300.0, "company")
    player = room.dial(1_100.0, "player", role="listener", mode="whep", direction="recvonly")
    assert "a=sendonly" in player.answer
    until_heard(player, 440.0)
    assert player.seq > 65_510, "it sends all the same"
    assert hears(talker, 1_100.0) < ABSENT_DB


def test_a_listener_who_comes_by_whip_only_receives(room: Party) -> None:
    talker, _ = room.dial(440.0, "talker"), room.join(2_300.0, "company")
    before = room.mixer.metrics()['voiceroom_rx_dropped_total{reason="not_allowed"}']
    ear = room.dial(1_100.0, "ear", role="listener")
    assert "a=sendonly" in ear.answer
    until_heard(ear, 440.0)
    assert hears(talker, 1_100.0) < ABSENT_DB
    after = room.mixer.metrics()['voiceroom_rx_dropped_total{reason="not_allowed"}']
    assert after > before


def test_two_joins_with_one_token_are_two_participants(room: Party) -> None:
    token = room.sign("speaker", "ann")
    first, second = (room.dial(hz, "ann", token=token) for hz in (440.0, 1_100.0))
    assert first.id != second.id
    until_heard(first, 1_100.0)
    until_heard(second, 440.0)
    assert [p["identity"] for p in room.room()["participants"]] == ["ann", "ann"]


def test_delete_ends_the_leg_with_bye_and_checks_are_not_answered_any_more(room: Party) -> None:
    web = room.dial(440.0, "web")
    mixed = web.wait_packets(5)[-1].ssrc
    status, _, _ = room.mixer.call("DELETE", web.location, web.token)
    assert status == 200
    until(lambda: byes(web) == [mixed], what="no BYE")
    until(lambda: web.closed_by_peer, what="no close_notify")
    answered = len(web.check_answers)
    before = room.mixer.metrics()['voiceroom_rx_dropped_total{reason="stun_unknown_user"}']
    until(lambda: _unanswered(room) > before, what="no check was dropped")
    assert len(web.check_answers) == answered
    assert room.mixer.call("DELETE", web.location, web.token)[0] == 404


def _unanswered(room: Party) -> float:
    return room.mixer.metrics()['voiceroom_rx_dropped_total{reason="stun_unknown_user"}']


def test_dtls_close_ends_the_leg(room: Party) -> None:
    web = room.dial(440.0, "web")
    with events(room.mixer, room.token, room.home) as stream:
        web.say_goodbye()
        until_event(stream, "left", id=web.id, reason="dtls_closed")


@pytest.mark.timing
def test_who_is_silent_in_ice_and_srtp_for_15_s_is_gone(room: Party) -> None:
    web, witness = room.dial(440.0, "web"), room.join(None, "witness")
    with events(room.mixer, room.token, room.home) as stream:
        web.checking = web.sending = False
        begun = len(witness.heard)
        until_event(stream, "left", id=web.id, reason="timeout")
    lasted_s = (witness.heard[-1].timestamp - witness.heard[begun].timestamp) % 2**32 / 48_000
    assert 14.0 < lasted_s < 17.5


def test_in_a_silent_room_every_leg_gets_a_packet_each_400_ms(room: Party) -> None:
    legs = [room.dial(None, "web"), room.join(None, "gateway")]
    for leg in legs:
        packets = leg.wait_packets(8)
        steps = {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)}
        assert max(steps) <= KEEP_ALIVE_SAMPLES
        assert min(steps) > FRAME, "DTX leaves out what says nothing"
        assert all((b.seq - a.seq) % 2**16 == 1 for a, b in itertools.pairwise(packets))


def test_a_stream_that_stops_and_starts_is_heard_again(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    room.join(1_100.0, "company")
    until_heard(ear, 440.0)
    web.sending = False
    until_silent(ear, 440.0)
    web.sending = True
    until_heard(ear, 440.0)
