"""A room goes from one media process to another: who mixes when, and from which indexes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fakes.mansion import path, web_leg
from fakes.movers import Mover, together
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.ice import stun
from voiceroom_mixer.core.moving import wire
from voiceroom_mixer.core.moving.epochs import ssrc_of
from voiceroom_mixer.core.moving.messages import Beat, RelayDown
from voiceroom_mixer.core.state.messages import Kind
from voiceroom_mixer.media.legs import leg_key
from voiceroom_mixer.media.moving.moves import HOLD_NS, Turn
from voiceroom_mixer.native.library import Native

SSRC = 1_000
WORD_TICKS, WATCH_TICKS = 26, 27


@pytest.fixture
def movers(native: Native) -> Iterator[tuple[Mover, Mover]]:
    """``a`` mixes, with one leg; ``b`` is to."""
    a, b = Mover(native=native, name="a"), Mover(native=native, name="b")
    a.seat()
    a.put(web_leg())
    a.house.select(a.legs.by_slot[0], path(6_001))
    yield a, b
    a.close()
    b.close()


def succeed(a: Mover, b: Mover, epoch: int = 2, port: int = 6_001) -> None:
    """``b`` knows all that it has to."""
    b.tick = 500  # another grid
    b.seat(part="successor", epoch=epoch, owner_epoch=1, other=a.address, pod=a.pod)
    b.put(web_leg())
    b.mark(0, tx_index=7, tx_srtcp=3, ip=bytes(10) + b"\xff\xff\x7f\0\0\1", port=port)
    b.seat(part="successor", epoch=epoch, owner_epoch=1, warm=True)
    together(a, b, ticks=2)


def order(a: Mover, b: Mover, epoch: int = 2) -> None:
    b.seat(part="successor", epoch=epoch, owner_epoch=1, ordered=True)
    a.seat(to=b.address, to_epoch=epoch, move="m")


def test_the_new_one_goes_on_with_the_next_index_and_the_next_tick(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    succeed(a, b)
    order(a, b)
    turns = together(a, b, ticks=20)
    mixed = [sum(turn is Turn.MIX for turn in pair) for pair in turns]
    assert max(mixed) == 1, "never both"
    assert mixed.count(0) <= 1, "only the word's own way is between the two"
    assert turns[-1] == (Turn.REST, Turn.MIX)
    assert Turn.SHADOW in b.turns
    total = sum(turn is Turn.MIX for mover in (a, b) for turn in mover.turns)
    begun = int(a.transmit.index[0]) + b.turns.count(Turn.MIX)
    assert int(b.transmit.index[0]) == begun
    assert total > 0
    assert b.column("tx_ssrc") == SSRC
    assert not a.transmit.ready[0]
    assert (a.told(), b.told()) == ([Kind.ROOM_STOPPED], [Kind.ROOM_BEGUN])
    room_a, room_b = a.house.rooms[0], b.house.rooms[0]
    stopped = a.moves._chairs[0].owner
    assert stopped is not None
    ticks = b.turns.count(Turn.MIX) * 2
    assert (b.tick - 1) * 2 + room_b.shift == stopped.stopped_tick + ticks - 2
    assert room_a.shift == 0


@pytest.mark.parametrize(("speaks", "frames"), [(False, 5), (True, 7)])
def test_the_cut_waits_for_the_jitter_buffer_of_a_leg_that_has_just_come(
    movers: tuple[Mover, Mover], speaks: bool, frames: int
) -> None:
    a, b = movers
    succeed(a, b)
    if speaks:
        receiver = a.legs.by_slot[0].receiver
        receiver.push(77, 1, 0, bytes(60), 10, True, a.now_ns)
        assert receiver.active
        assert 20 <= receiver.target_ns // NS_PER_MS <= 40
    before = a.turns.count(Turn.MIX)
    order(a, b)
    together(a, b, ticks=12)
    assert a.turns.count(Turn.MIX) - before == frames


def test_who_has_stopped_never_mixes_again_not_even_after_a_restart(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    succeed(a, b)
    order(a, b)
    together(a, b, ticks=20)
    a.boot()
    a.keyed()
    together(a, b, ticks=5)
    assert a.turns[-5:] == [Turn.REST] * 5
    a.seat(epoch=9, to="")
    together(a, b, ticks=5)
    assert a.turns[-5:] == [Turn.REST] * 5, "a higher epoch alone begins nothing"


def test_without_the_word_it_is_a_take_over_under_another_ssrc(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    succeed(a, b)
    b.seat(part="successor", epoch=2, owner_epoch=1, ordered=True)
    together(b, ticks=WORD_TICKS)
    assert b.turns[-1] is Turn.MIX
    assert b.column("tx_ssrc") == ssrc_of(SSRC, 2) != SSRC
    assert int(b.transmit.index[0]) == b.turns.count(Turn.MIX)
    assert Turn.REST not in a.turns
    together(a, b, ticks=15)
    assert a.turns[-1] is Turn.REST, "it has seen the higher epoch"
    assert a.column("tx_ssrc") == SSRC


def test_an_owner_that_refuses_goes_on_alone(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    succeed(a, b)
    b.seat(part="successor", epoch=2, owner_epoch=1, ordered=True)
    together(a, b, ticks=3)
    b.seat(part="successor", epoch=2, owner_epoch=1, ordered=False)
    together(a, b, ticks=WORD_TICKS + 5)
    assert (a.turns[-1], b.turns[-1]) == (Turn.MIX, Turn.REST)


def test_an_order_can_be_withdrawn_before_the_cut(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    succeed(a, b)
    a.seat(to=b.address, to_epoch=2, move="m")
    together(a, b, ticks=2)
    assert a.legs.by_slot[0].mirrored
    a.seat(to="", to_epoch=0, move="")
    together(a, b, ticks=30)
    assert a.turns[-1] is Turn.MIX
    assert not a.legs.by_slot[0].mirrored


def twins(a: Mover, b: Mover) -> None:
    a.seat(other=b.address)
    b.seat(part="twin", owner_epoch=1, other=a.address, pod=a.pod)
    b.put(web_leg())
    b.mark(0, tx_index=7, ip=bytes(10) + b"\xff\xff\x7f\0\0\1", port=6_001)
    together(a, b, ticks=10)


def test_a_twin_takes_over_when_the_owner_is_silent(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    twins(a, b)
    together(b, ticks=WATCH_TICKS)
    assert b.turns[-1] is Turn.MIX
    assert b.column("tx_ssrc") == ssrc_of(SSRC, 2)
    assert b.transmit.ready[0], "by the address that the owner knew"
    together(a, b, ticks=15)
    assert a.turns[-1] is Turn.REST


def test_one_fellow_that_hears_the_owner_is_a_veto(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    witness = Mover(name="c")
    a.peers, b.peers = (witness.address,), (witness.address,)
    a.keyed()
    b.keyed()
    twins(a, b)
    together(a, witness, ticks=5)
    a.seat(other="")  # its beats reach the witness only
    together(a, b, witness, ticks=60)
    assert Turn.MIX not in b.turns
    together(b, witness, ticks=60)
    assert Turn.MIX in b.turns, "nobody hears it any more"
    witness.close()


def test_a_twin_that_was_stalled_itself_listens_again(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    twins(a, b)
    b.now_ns += 2_000 * NS_PER_MS
    together(b, ticks=2)
    assert b.turns[-1] is Turn.REST


def test_what_is_not_of_the_pool_is_counted_and_changes_nothing(native: Native) -> None:
    a = Mover(native=native)
    a.seat()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        to = ("127.0.0.1", a.socket.getsockname()[1])
        stranger.sendto(wire.seal(b"x" * 32, Beat(b"p" * 8, 1)), to)
        stranger.sendto(b"\xff\x00", to)
        stranger.sendto(wire.seal(bytes.fromhex("ab" * 32), Beat(b"p" * 8, 1)), to)
        a.drain()
    assert (a.counted("drop_relay_auth"), a.counted("drop_relay_malformed")) == (1, 1)
    assert len(a.moves.watches) == 1
    a.close()


def test_a_client_at_the_old_pod_is_relayed_one_hop_both_ways(
    movers: tuple[Mover, Mover], peer: socket.socket
) -> None:
    a, b = movers
    a.house.select(a.legs.by_slot[0], path(peer.getsockname()[1]))
    succeed(a, b, port=peer.getsockname()[1])
    order(a, b)
    together(a, b, ticks=20)
    peer.sendto(b"\x16\xfe\xfdhello", ("127.0.0.1", a.socket.getsockname()[1]))
    together(a, b, ticks=2)
    assert b.dtls == [b"\x16\xfe\xfdhello"]
    leg = b.legs.by_slot[0]
    assert leg.via is not None
    b.relay.report(leg, b"\x80report")
    b.egress.flush()
    together(a, ticks=1)
    ways = [peer.recvfrom(2048) for _ in range(2)]
    assert [data for data, _ in ways] == [b"\x80report"] * 2, "both ways, while in doubt"
    assert {port for _, (_, port) in ways} == {mover.socket.getsockname()[1] for mover in (a, b)}


def test_a_leg_that_is_over_is_let_go_of(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    succeed(a, b)
    order(a, b)
    together(a, b, ticks=20)
    over = RelayDown(leg_key(a.legs.by_slot[0].state.leg), bytes(16), 1, b"")
    b.post.send(b.post.path(a.address), over)
    b.egress.flush()
    a.drain()
    assert not len(a.legs)


def check(user: str) -> stun.BindingRequest:
    ice = "p" * 24
    raw = stun.request(bytes(12), f"{user}:client", ice, use_candidate=True, priority=1)
    return stun.parse_request(raw)


def test_after_the_cut_checks_stay_unanswered_for_six_seconds(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    succeed(a, b)
    order(a, b)
    together(a, b, ticks=20)
    leg = a.legs.by_slot[0]
    assert not a.moves.answers(leg, path(6_001), check("user0"), a.now_ns)
    assert a.counted("drop_stun_quiet") == 1
    assert a.moves.answers(leg, path(6_001), check("user0"), a.now_ns + 6_000 * NS_PER_MS)
    assert a.counted("relayed_up") == 1, "and the owner hears of it"


def test_the_first_checks_wait_for_the_twin_and_no_others(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    leg = a.legs.by_slot[0]
    assert a.moves.answers(leg, path(6_001), check("user0"), a.now_ns), "there is no twin"
    a.seat(other=b.address)
    request = check("user0")
    assert not a.moves.answers(leg, path(6_001), request, a.now_ns)
    assert not a.moves.answers(leg, path(6_001), request, a.now_ns + HOLD_NS - 1)
    assert a.moves.answers(leg, path(6_001), request, a.now_ns + HOLD_NS)
    again = replace(request, local_ufrag="fresh")
    assert not a.moves.answers(leg, path(6_001), again, a.now_ns + HOLD_NS)


def test_a_room_that_is_over_is_nobodys(movers: tuple[Mover, Mover]) -> None:
    a, b = movers
    twins(a, b)
    a.segment.tables["rooms"].clear(0)
    a.house.look(a.now_ns)
    assert not a.moves._chairs
    assert not a.moves._by_key
    assert not len(a.legs)


def test_a_former_owner_that_becomes_the_twin_keeps_legs_that_are_silent_there(
    movers: tuple[Mover, Mover],
) -> None:
    a, b = movers
    succeed(a, b)
    order(a, b)
    together(a, b, ticks=20)
    leg = a.legs.by_slot[0]
    assert a.house.was_ours(leg)
    a.seat(part="twin", owner_epoch=2, epoch=2, other=b.address, pod=b.pod, to="", to_epoch=0)
    assert not a.house.was_ours(leg), "no time-out ends it"
    together(a, b, ticks=20)
    assert (a.turns[-1], b.turns[-1]) == (Turn.REST, Turn.MIX)
    b.seat(part="owner", epoch=2, owner_epoch=0, other=a.address, pod="")
    together(a, b, ticks=10)
    together(a, ticks=WATCH_TICKS)
    assert a.turns[-1] is Turn.MIX, "and takes over in its turn"
    assert a.column("tx_ssrc") == ssrc_of(SSRC, 3)


@pytest.mark.parametrize("ticks", [10, 22, 50], ids=["heard", "doubted", "gone"])
def test_a_twin_again_does_not_miss_who_was_silent_in_between(
    movers: tuple[Mover, Mover], ticks: int
) -> None:
    a, b = movers
    twins(a, b)
    a.seat(other="")
    b.seat(part="former", pod="")
    together(a, b, ticks=ticks)
    a.seat(other=b.address)
    b.seat(part="twin", pod=a.pod)
    together(b, ticks=WATCH_TICKS)
    assert Turn.MIX not in b.turns, "not a word since it is the twin again"
    together(a, b, ticks=10)
    together(b, ticks=WATCH_TICKS)
    assert b.turns[-1] is Turn.MIX


def test_the_cut_of_an_empty_room_is_ahead_of_the_grid_though_its_turn_was_seldom_asked(
    native: Native,
) -> None:
    mover = Mover(native=native, name="a")
    try:
        mover.seat()
        mover.segment.set_word("grid_slot", 1_001)
        mover.seat(to="127.0.0.1:9", to_epoch=2, move="m")
        owner = mover.moves._chairs[0].owner
        assert owner is not None
        assert owner.order is not None
        assert owner.order.cut_tick > 1_000
        assert mover.house.rooms[0].restless
    finally:
        mover.close()
