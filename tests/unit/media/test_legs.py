"""How a datagram finds its leg."""

from __future__ import annotations

from fakes.mansion import Mansion, path, rtp_leg, web_leg
from voiceroom_mixer.core.state.legstate import IceCredentials
from voiceroom_mixer.media.legs import MAX_ADDRESSES

FRESH = IceCredentials("fresh", "q" * 24)


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
    assert mansion.legs.latching(path(6_000)) == [first, second]
    mansion.house.select(first, path(6_000))
    assert mansion.legs.latching(path(6_001)) == [second]
    mansion.take_out(1)
    assert mansion.legs.latching(path(6_001)) == []


def test_a_leg_that_is_gone_is_found_by_nothing(mansion: Mansion) -> None:
    leg = mansion.put(web_leg())
    mansion.legs.learn(leg, path(6_000))
    mansion.take_out(0)
    assert mansion.legs.find(path(6_000)) is None
    assert mansion.legs.by_ufrag("user0") is None
    assert mansion.legs.remove(0) is None
