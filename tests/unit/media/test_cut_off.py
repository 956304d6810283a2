"""The two pods of a hand-over do not hear each other for a while, from any tick of it on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.mansion import path, web_leg
from fakes.movers import Mover, together
from voiceroom_mixer.media.moving.moves import Turn

TICKS, HEALED_TICKS = 20, 60
CLIENT = {"ip": bytes(10) + b"\xff\xff\x7f\0\0\1", "port": 6_001}


@pytest.fixture
def movers() -> Iterator[tuple[Mover, Mover]]:
    """``a`` mixes under epoch 1; ``b`` is prepared to under epoch 2."""
    a, b = Mover(name="a"), Mover(name="b")
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


def sent(mover: Mover) -> tuple[int, int]:
    """SSRC and index of what is sent to the leg next."""
    return mover.column("tx_ssrc"), int(mover.transmit.index[0])


class Wire:
    """Between the two: what each has sent, and under which epochs both mixed at once."""

    def __init__(self, a: Mover, b: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pair, self.cut = (a, b), False
        self.packets: tuple[set[tuple[int, int]], ...] = (set(), set())
        self.epochs: set[tuple[int, int]] = set()
        for mover in self.pair:
            through = mover.post.send
            monkeypatch.setattr(
                mover.post, "send", lambda *said, on=through: None if self.cut else on(*said)
            )

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            ((one, other),) = together(*self.pair)
            for mover, turn, packets in zip(self.pair, (one, other), self.packets, strict=True):
                if turn is Turn.MIX:
                    ssrc, following = sent(mover)
                    packets.add((ssrc, following - 1))
            if (one, other) == (Turn.MIX, Turn.MIX):
                a, b = (mover.moves._chairs[0].epoch for mover in self.pair)
                self.epochs.add((a, b))


@pytest.mark.parametrize("length", [3, 20, 30, 60, 200])
@pytest.mark.parametrize("begins", range(0, TICKS, 2))
def test_there_is_never_a_second_mix_under_one_epoch_nor_an_index_twice(
    movers: tuple[Mover, Mover], monkeypatch: pytest.MonkeyPatch, begins: int, length: int
) -> None:
    a, b = movers
    wire = Wire(a, b, monkeypatch)
    b.seat(epoch=2, ordered=True)
    a.seat(to=b.address, to_epoch=2, to_pod=b.pod, move="m")
    wire.run(begins)
    wire.cut = True
    wire.run(length)
    wire.cut = False
    if not b.house.rooms[0].live:
        b.seat(epoch=2)  # control looks again, and nothing is new to it
    else:
        b.seat(part="owner", epoch=2, owner_epoch=0, other="", pod="", hears=a.address)
    wire.run(HEALED_TICKS)
    assert all(one != other for one, other in wire.epochs)
    assert not wire.packets[0] & wire.packets[1]
    assert sum(mover.turns[-1] is Turn.MIX for mover in movers) == 1, "one of them has it"
