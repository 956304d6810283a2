"""Rooms and legs of media are what control's rows say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.mansion import ROOM, Mansion, path, rtp_leg, web_leg
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.messages import Kind
from voiceroom_mixer.edge.mmsg import unpack_name


def test_a_gateway_is_connected_at_once(mansion: Mansion) -> None:
    leg = mansion.put(rtp_leg(port=6_001))
    assert unpack_name(leg.selected) == (b"\x7f\0\0\1", 6_001)
    assert mansion.transmit.ready[0]
    assert mansion.column("phase") == layout.PHASE_CONNECTED


def test_a_webrtc_leg_needs_keys_and_an_address(mansion: Mansion) -> None:
    leg = mansion.put(web_leg(srtp=None))
    mansion.house.select(leg, path(6_001))
    assert not mansion.transmit.ready[0]
    mansion.put(web_leg())
    assert mansion.transmit.ready[0]
    assert mansion.column("phase") == layout.PHASE_CONNECTED


def test_a_second_joiner_never_replaces_the_first(mansion: Mansion) -> None:
    first = mansion.put(rtp_leg(0, 6_001, identity="same"))
    second = mansion.put(rtp_leg(1, 6_002, identity="same"))
    assert mansion.legs.by_slot == {0: first, 1: second}
    with pytest.raises(AssertionError):
        mansion.legs.add(second)


def test_a_slot_given_to_another_leg_forgets_the_one_before(mansion: Mansion) -> None:
    before = mansion.put(rtp_leg())
    mansion.segment.columns["rx_packets"][0] = 5
    after = mansion.put(rtp_leg(generation=2, leg="other"))
    assert after is not before
    assert mansion.column("rx_packets") == 0
    assert list(mansion.house.rooms[0].legs.values()) == [after]


def test_a_leg_taken_out_is_gone_everywhere(mansion: Mansion) -> None:
    leg = mansion.put(rtp_leg())
    mansion.take_out(0)
    assert len(mansion.legs) == 0
    assert mansion.legs.find(leg.selected) is None
    assert not mansion.transmit.ready[0]
    assert mansion.column("phase") == layout.PHASE_FREE
    assert mansion.said == [], "control knows"


def test_media_tells_why_it_ends_a_leg_and_does_not_take_it_back(mansion: Mansion) -> None:
    leg = mansion.put(rtp_leg())
    mansion.house.end(leg, layout.END_UNREACHABLE)
    (message,) = mansion.said
    assert (message.kind, message.payload) == (Kind.ENDED, bytes((layout.END_UNREACHABLE,)))
    assert mansion.column("end_reason") == layout.END_UNREACHABLE
    mansion.segment.tables["legs"].write(0, leg.state.to_bytes())
    mansion.house.look(mansion.now_ns)
    assert len(mansion.legs) == 0


@pytest.mark.parametrize("table", ["legs", "rooms"])
def test_an_unreadable_row_is_counted_and_harms_nobody(mansion: Mansion, table: str) -> None:
    mansion.put(rtp_leg(0))
    mansion.segment.tables[table].write(1, b'{"version": 99}')
    mansion.house.look(mansion.now_ns)
    assert mansion.counted("leg_faults") == 1
    assert list(mansion.legs.by_slot) == [0]


def test_keys_that_libsrtp_refuses_end_that_leg_only(mansion: Mansion) -> None:
    mansion.put(rtp_leg(1, 6_002))
    bad = web_leg()
    assert bad.srtp is not None
    state = replace(bad, srtp=replace(bad.srtp, rx="11"))
    mansion.segment.tables["legs"].write(0, state.to_bytes())
    mansion.house.look(mansion.now_ns)
    assert mansion.column("end_reason") == layout.END_FAULT
    assert list(mansion.legs.by_slot) == [1]


def test_a_closed_room_lets_its_legs_go(mansion: Mansion) -> None:
    mansion.put(rtp_leg())
    mansion.segment.tables["rooms"].clear(0)
    mansion.house.look(mansion.now_ns)
    assert mansion.house.rooms == {}
    assert mansion.column("end_reason") == layout.END_REMOVED


def test_a_leg_whose_room_comes_later_is_adopted_then(mansion: Mansion) -> None:
    state = rtp_leg(room="late", room_slot=1)
    mansion.segment.tables["legs"].write(0, state.to_bytes())
    mansion.house.look(mansion.now_ns)
    assert len(mansion.legs) == 0
    room = replace(ROOM, room="late", slot=1)
    mansion.segment.tables["rooms"].write(1, room.to_bytes())
    mansion.house.look(mansion.now_ns)
    assert list(mansion.house.rooms[1].legs) == [0]


def test_a_restart_finds_address_and_phase_again(mansion: Mansion) -> None:
    leg = mansion.put(web_leg())
    mansion.house.select(leg, path(6_001))
    mansion.boot()
    again = mansion.legs.by_slot[0]
    assert again is not leg
    assert unpack_name(again.selected) == (b"\x7f\0\0\1", 6_001)
    assert mansion.legs.find(path(6_001)) is again
    assert mansion.transmit.ready[0]
