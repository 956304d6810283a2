"""ICE restart and roaming: DTLS and SRTP go on as they are, and nobody hears a thing."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.listening import hears, tone_is_whole, until_heard
from harness.mixer import PATIENT, free_port, running
from harness.party import Party, gathering
from harness.webrtc import WebRtcLeg

FIRST, SECOND = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def two_addresses(tmp_path: Path) -> Iterator[Party]:
    """A mixer that answers list with two addresses."""
    port = free_port(socket.SOCK_DGRAM, "0.0.0.0")
    options = ["--udp", f"0.0.0.0:{port}", "--advertise", FIRST, "--advertise", SECOND]
    with running(tmp_path, *options, documents=PATIENT) as mixer, gathering(mixer) as party:
        yield party


def _unbroken(leg: WebRtcLeg) -> bool:
    """Every index came, once, in order, under one SSRC and one DTLS association."""
    (indexes,) = leg.indexes.values()
    in_order = all(b - a == 1 for a, b in itertools.pairwise(indexes))
    return in_order and leg.refused == [] and leg.handshakes == 1


@pytest.mark.timing
def test_a_restart_towards_another_address_is_not_heard(two_addresses: Party) -> None:
    party = two_addresses
    web, ear = party.dial(440.0, "web"), party.join(None, "ear")
    party.join(1_100.0, "company")
    until_heard(ear, 440.0)
    until_heard(web, 1_100.0)
    assert [ip for ip, _ in web.ice.candidates] == [FIRST, SECOND]
    begun, mine = len(ear.heard), len(web.heard)
    web.restart_ice(party.mixer)
    assert [ip for ip, _ in web.ice.candidates] == [FIRST, SECOND]
    web.nominate(web.ice.candidates[1])
    assert web.target[0] == SECOND
    ear.wait_packets(50)
    tone_is_whole(ear, begun, 440.0)
    tone_is_whole(web, mine, 1_100.0)
    assert _unbroken(web)


def test_what_a_leg_gets_comes_from_the_address_that_it_chose(two_addresses: Party) -> None:
    party = two_addresses
    web = party.dial(440.0, "web")
    party.join(1_100.0, "company")
    web.nominate(web.ice.candidates[1])
    web.wait_packets(10)
    begun = len(web.sources)
    web.wait_packets(10)
    assert {ip for ip, _ in web.sources[begun:]} == {SECOND}


@pytest.mark.timing
def test_a_client_that_roams_to_another_port_is_followed(room: Party) -> None:
    web, ear = room.dial(440.0, "web"), room.join(None, "ear")
    room.join(1_100.0, "company")
    until_heard(ear, 440.0)
    until_heard(web, 1_100.0)
    begun, mine = len(ear.heard), len(web.heard)
    web.roam()
    ear.wait_packets(50)
    tone_is_whole(ear, begun, 440.0)
    tone_is_whole(web, mine, 1_100.0)
    assert _unbroken(web)


def test_the_old_credentials_are_answered_until_the_client_has_switched(room: Party) -> None:
    web = room.dial(440.0, "web")
    old = web.restart_ice(room.mixer)
    fresh, web.ice = web.ice, old
    web.nominate(web.target)
    web.ice = fresh
    web.nominate(web.target)
    assert hears(room.join(None, "ear"), 440.0) > -30.0


def test_a_restart_needs_if_match_and_the_right_one(room: Party) -> None:
    web = room.dial(440.0, "web")
    web.restart_ice(room.mixer)
    kind = "application/trickle-ice-sdpfrag"
    text = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"

    def patch(**headers: str) -> int:
        path, token = web.location, web.token
        return room.mixer.call("PATCH", path, token, text, Content_Type=kind, **headers)[0]

    assert patch() == 428
    assert patch(If_Match='"stale"') == 412
    assert patch(If_Match=web.etag) == 200
