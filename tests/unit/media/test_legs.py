"""How a datagram finds its leg."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from fakes.mansion import Mansion, path, rtp_leg, web_leg
from voiceroom_mixer.core.state.legstate import IceCredentials
from voiceroom_mixer.media.legs import MAX_ADDRESSES, Leg

if TYPE_CHECKING:
    from _typeshed import TraceFunction

FRESH = IceCredentials("fresh", "q" * 24)
OURS = socket.inet_aton("127.0.0.1")


def claimed(mansion: Mansion, port: int, *, payload_type: int = 111, ssrc: int = 7) -> Leg | None:
    """The leg that RTP from a port that is not known is taken to be of."""
    return mansion.legs.waiting.claim(OURS, port, payload_type, ssrc)


def test_the_oldest_of_too_many_addresses_is_forgotten(mansion: Mansion) -> None:
    leg = mansion.put(web_leg())
    for port in range(6_000, 6_000 + MAX_ADDRESSES + 1):
        mansion.legs.learn(leg, path(port))
    assert mansion.legs.find(path(6_000)) is None
    assert mansion.legs.find(path(6_001)) is leg
    assert len(mansion.legs.by_key) == MAX_ADDRESSES


def test_an_address_belongs_to_who_proved_it_last(mansion: Mansion) -> None:
    first, second = mansion.put(web_leg(0)), mansion.put(web_leg(1))
    mansion.legs.learn(first, path(6_000))
    mansion.legs.learn(second, path(6_000))
    assert mansion.legs.find(path(6_000)) is second
    mansion.take_out(0)
    assert mansion.legs.find(path(6_000)) is second


def test_after_an_ice_restart_both_credentials_hold_until_control_drops_the_old(
    mansion: Mansion,
) -> None:
    leg = mansion.put(web_leg())
    old = leg.state.local_ice
    assert old is not None
    mansion.change(leg, local_ice=FRESH, previous_ice=old)
    assert mansion.legs.by_ufrag(old.ufrag) == (leg, old)
    assert mansion.legs.by_ufrag("fresh") == (leg, FRESH)
    mansion.change(leg, previous_ice=None)
    assert mansion.legs.by_ufrag(old.ufrag) is None
    assert mansion.legs.by_ufrag("fresh") == (leg, FRESH)


def test_legs_that_latch_wait_in_order_of_coming(mansion: Mansion) -> None:
    first, second = (mansion.put(rtp_leg(slot, port=0)) for slot in (0, 1))
    assert claimed(mansion, 6_000) is first
    mansion.house.select(first, path(6_000))
    assert claimed(mansion, 6_001) is second
    mansion.take_out(1)
    assert claimed(mansion, 6_001) is None


def test_what_may_be_of_several_gateways_is_nobodys(mansion: Mansion) -> None:
    first, second = (mansion.put(rtp_leg(slot, port=6_000 + slot)) for slot in (0, 1))
    assert claimed(mansion, 7_000) is None
    first.stream.rx_index = 1
    mansion.house.settle(first)
    assert claimed(mansion, 7_000) is second
    assert claimed(mansion, 7_000, payload_type=96) is None
    portless = mansion.put(rtp_leg(2, port=0))
    assert claimed(mansion, 7_000) is portless


def test_a_waiting_leg_that_is_heard_is_known_by_its_stream(mansion: Mansion) -> None:
    leg = mansion.put(rtp_leg(0, port=6_000))
    assert claimed(mansion, 7_000, ssrc=8) is leg
    leg.stream.rx_index, leg.stream.rx_ssrc = 1, 7
    mansion.legs.waiting.heard(leg)
    assert claimed(mansion, 7_000, ssrc=8) is None
    assert claimed(mansion, 7_000, ssrc=7) is leg


def test_a_slot_that_is_taken_anew_waits_for_its_new_leg_alone(mansion: Mansion) -> None:
    mansion.put(rtp_leg(0, port=6_000))
    mansion.take_out(0)
    assert not mansion.legs.waiting
    fresh = mansion.put(rtp_leg(0, port=6_001))
    assert claimed(mansion, 6_001) is fresh
    assert len(mansion.legs.waiting) == 1


def lines_of(ask: Callable[[], object]) -> int:
    """How many lines of Python are gone through."""
    count = 0

    def trace(_frame: FrameType, event: str, _what: object) -> TraceFunction:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ask()
    finally:
        sys.settrace(before)
    return count


def test_a_crowd_that_waits_makes_no_question_dearer(mansion: Mansion) -> None:
    """Each packet from an unknown port asks, in the tick."""
    mansion.put(rtp_leg(0, port=6_000))
    mansion.put(rtp_leg(1, port=6_001))
    of_two = lines_of(lambda: claimed(mansion, 7_000))
    for slot in range(2, 8):
        mansion.put(rtp_leg(slot, port=6_000 + slot))
    assert claimed(mansion, 7_000) is None
    assert lines_of(lambda: claimed(mansion, 7_000)) == of_two


def test_who_only_listens_is_not_looked_for_at_other_ports(mansion: Mansion) -> None:
    mansion.put(rtp_leg(0, sends=False))
    assert not mansion.legs.waiting


def test_a_restarted_process_still_knows_a_gateway_by_either_port(mansion: Mansion) -> None:
    leg = mansion.put(rtp_leg(0, port=6_000))
    mansion.house.select(leg, path(7_000))
    mansion.boot()
    leg = mansion.legs.by_slot[0]
    assert mansion.legs.find(path(7_000)) is leg
    assert claimed(mansion, 6_000) is leg


def test_a_leg_that_is_gone_is_found_by_nothing(mansion: Mansion) -> None:
    leg = mansion.put(web_leg())
    mansion.legs.learn(leg, path(6_000))
    mansion.take_out(0)
    assert mansion.legs.find(path(6_000)) is None
    assert mansion.legs.by_ufrag("user0") is None
    assert mansion.legs.remove(0) is None
