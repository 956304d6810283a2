"""The new pod dies just after a cut: the old one, which listens for it, takes the room back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.mansion import path, web_leg
from fakes.movers import Mover, together
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.moving.epochs import ssrc_of
from voiceroom_mixer.core.state.messages import Kind
from voiceroom_mixer.media.moving.moves import Turn
from voiceroom_mixer.media.moving.post import shown
from voiceroom_mixer.native.library import Native

SSRC = 1_000
WATCH_TICKS, LONG_TICKS = 27, 100
CLIENT = {"ip": bytes(10) + b"\xff\xff\x7f\0\0\1", "port": 6_001}


@pytest.fixture
def movers(native: Native) -> Iterator[tuple[Mover, Mover]]:
    """``a`` mixes, with one leg; ``b`` is prepared to under epoch 2."""
    a, b = Mover(native=native, name="a"), Mover(native=native, name="b")
    a.seat()
    a.put(web_leg())
    a.house.select(a.legs.by_slot[0], path(6_001))
    b.seat(part="successor", epoch=2, owner_epoch=1, other=a.address, pod=a.pod)
    b.put(web_leg())
    b.mark(0, tx_index=7, tx_srtcp=3, **CLIENT)
    b.seat(epoch=2, warm=True)
    together(a, b, ticks=2)
    yield a, b
    a.close()
    b.close()


def order(a: Mover, b: Mover) -> None:
    b.seat(epoch=2, ordered=True)
    a.seat(to=b.address, to_epoch=2, to_pod=b.pod, move="m")


def hand_over(a: Mover, b: Mover, *, told: bool = True) -> None:
    """Until ``b`` mixes; ``told``: control has written so into both rows."""
    order(a, b)
    together(a, b, ticks=12)
    assert (a.turns[-1], b.turns[-1]) == (Turn.REST, Turn.MIX)
    if told:
        be_former(a, b)
        b.seat(part="owner", epoch=2, owner_epoch=0, other="", pod="", hears=a.address)


def be_former(a: Mover, b: Mover) -> None:
    a.seat(part="former", other=b.address, pod=b.pod, owner_epoch=2, to="", to_pod="", to_epoch=0)


@pytest.mark.parametrize("told", [True, False], ids=["told", "before control knows"])
def test_the_old_pod_takes_the_room_back_under_the_next_epoch(
    movers: tuple[Mover, Mover], told: bool
) -> None:
    a, b = movers
    hand_over(a, b, told=told)
    sent = int(a.transmit.index[0])
    together(a, ticks=WATCH_TICKS)
    assert a.turns[-1] is Turn.MIX
    assert a.moves._chairs[0].epoch == 3
    assert a.column("tx_ssrc") == ssrc_of(SSRC, 3) != SSRC, "b's indexes are not known"
    assert int(a.transmit.index[0]) < sent, "they begin anew with the SSRC"
    assert a.transmit.ready[0], "by the address that it knew"
    assert a.told() == [Kind.ROOM_STOPPED, Kind.ROOM_BEGUN]


def test_who_beats_is_not_missed(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    hand_over(a, b)
    together(a, b, ticks=LONG_TICKS)
    assert (a.turns[-1], b.turns[-1]) == (Turn.REST, Turn.MIX)
    assert Turn.MIX not in a.turns[-LONG_TICKS:]


def test_who_was_never_heard_is_not_missed(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    a.seat(to=b.address, to_epoch=2, to_pod=b.pod, move="m")
    together(a, ticks=LONG_TICKS)
    assert a.turns[-1] is Turn.REST, "it may mix, and its beats do not come here"


@pytest.mark.parametrize("told", [True, False])
def test_a_restarted_process_hears_it_first(movers: tuple[Mover, Mover], told: bool) -> None:
    a, b = movers
    hand_over(a, b)
    a.boot()
    a.keyed()
    if told:
        together(a, b, ticks=3)
    together(a, ticks=LONG_TICKS)
    assert (a.turns[-1] is Turn.MIX) == told


def test_who_was_stalled_itself_listens_again_first(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    hand_over(a, b)
    a.now_ns += 2_000 * NS_PER_MS
    together(a, ticks=2)
    assert a.turns[-1] is Turn.REST
    together(a, b, ticks=WATCH_TICKS)
    assert a.turns[-1] is Turn.REST


def test_one_that_comes_back_stops_and_relays(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    hand_over(a, b)
    together(a, ticks=WATCH_TICKS)
    b.now_ns = a.now_ns
    together(a, b, ticks=15)
    assert (a.turns[-1], b.turns[-1]) == (Turn.MIX, Turn.REST)
    assert shown(b.moves._chairs[0].target) == a.address
    assert (a.column("tx_ssrc"), b.column("tx_ssrc")) == (ssrc_of(SSRC, 3), SSRC)
    together(a, b, ticks=LONG_TICKS)
    assert (a.turns[-1], b.turns[-1]) == (Turn.MIX, Turn.REST), "and takes nothing back in turn"


def test_one_that_was_frozen_before_it_began_stops_when_it_wakes(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    order(a, b)
    together(a, b, ticks=3)
    together(a, ticks=8 + WATCH_TICKS)
    assert a.turns[-1] is Turn.MIX
    b.now_ns = a.now_ns
    together(a, b, ticks=15)
    assert (a.turns[-1], b.turns[-1]) == (Turn.MIX, Turn.REST)
    assert a.moves._chairs[0].epoch == 3


def test_after_it_was_told_of_a_later_epoch_the_room_is_another_ones(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    hand_over(a, b)
    b.seat(epoch=4)  # the operator has given b a twin, whose the number 5 is
    together(a, b, ticks=15)
    together(a, ticks=LONG_TICKS)
    assert a.turns[-1] is Turn.REST


def test_a_former_owner_that_is_not_to_listen_takes_nothing_back(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    hand_over(a, b)
    a.seat(pod="", owner_epoch=0)
    together(a, b, ticks=5)
    together(a, ticks=LONG_TICKS)
    assert a.turns[-1] is Turn.REST


def test_a_former_owner_that_becomes_the_twin_goes_on_listening(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    hand_over(a, b)
    a.seat(part="twin", epoch=2)
    together(a, ticks=WATCH_TICKS)
    assert a.turns[-1] is Turn.MIX
    assert a.moves._chairs[0].epoch == 3


def test_streams_of_senders_go_on_from_where_it_stopped_itself(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    a.mark(0, rx_ssrc=66, rx_index=1, **CLIENT)  # of a move before this one
    leg = a.legs.by_slot[0]
    a.segment.columns["heard"][leg.slot] = True
    a.segment.columns["rx_ssrc"][leg.slot], a.segment.columns["rx_index"][leg.slot] = 77, 70_000
    hand_over(a, b)
    together(a, ticks=WATCH_TICKS)
    assert a.turns[-1] is Turn.MIX
    assert (a.column("rx_ssrc"), a.column("rx_index")) == (77, 70_000)


def test_legs_that_have_followed_are_kept_while_it_may_have_to_go_on(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    hand_over(a, b)
    leg = a.legs.by_slot[0]
    assert a.house.is_kept(leg)
    a.seat(pod="", owner_epoch=0)
    assert not a.house.is_kept(leg)


def test_a_third_pod_that_is_the_twin_does_not_miss_who_has_given_the_room_away(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    c = Mover(name="c")
    a.seat(other=c.address)
    c.seat(part="twin", owner_epoch=1, other=a.address, pod=a.pod)
    c.put(web_leg())
    together(a, b, c, ticks=10)
    order(a, b)
    together(a, b, c, ticks=12)
    assert (a.turns[-1], b.turns[-1]) == (Turn.REST, Turn.MIX)
    be_former(a, b)
    a.seat(hears=c.address)
    together(a, b, c, ticks=LONG_TICKS)
    assert Turn.MIX not in c.turns, "whoever has the room is recorded in a moment"
    together(b, c, ticks=WATCH_TICKS)
    assert c.turns[-1] is Turn.MIX, "it has listened all the time"
    c.close()
