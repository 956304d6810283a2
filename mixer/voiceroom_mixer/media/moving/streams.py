"""The streams of a room's legs at a cut: out of this process's columns, or into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from voiceroom_mixer.core.moving.epochs import ssrc_of
from voiceroom_mixer.core.moving.messages import LegCut
from voiceroom_mixer.core.state.marks import Mark
from voiceroom_mixer.media import columns
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.legs import Leg, Via, leg_key
from voiceroom_mixer.media.rooms import MediaRoom
from voiceroom_mixer.media.transmit import Transmit

_LOW: Final = 0xFFFF_FFFF
MAX_WAITING: Final = 400


def cuts(room: MediaRoom, transmit: Transmit, all_columns: dict[str, Any]) -> tuple[LegCut, ...]:
    """Where every leg stands now: nothing is sent to it here any more."""
    return tuple(_cut(leg, transmit, all_columns) for leg in room.legs.values())


def _cut(leg: Leg, transmit: Transmit, all_columns: dict[str, Any]) -> LegCut:
    slot = leg.slot
    report = int(all_columns["rx_srtcp"][slot])
    return LegCut(
        leg=leg_key(leg.state.leg),
        tx_index=int(transmit.index[slot]),
        tx_srtcp=transmit.srtcp_index[slot],
        tx_timestamp=int(transmit.timestamp[slot]),
        rx_ssrc=leg.rx_ssrc if leg.heard else 0,
        rx_index=_played(leg) if leg.heard else -1,
        rx_srtcp=report & _LOW if report else -1,
    )


def _played(leg: Leg) -> int:
    """SRTP index of the packet that was played last: what waits behind it, the successor plays."""
    played = leg.receiver.played
    behind = 0 if played is None else (leg.rx_index - played) & 0xFFFF
    return leg.rx_index - behind if behind < MAX_WAITING else leg.rx_index


def go_on(
    house: House,
    room: MediaRoom,
    said: Iterable[LegCut],
    all_columns: dict[str, Any],
    former: bytes,
    now_ns: int,
) -> None:
    """Every leg goes on from the owner's last word; one that he did not name, under a fresh SSRC:
    nobody knows what he sent to it."""
    by_leg = {cut.leg: cut for cut in said}
    for leg in list(room.legs.values()):
        cut = by_leg.get(leg_key(leg.state.leg))
        mark = house.mark(leg.state)
        if cut is None:
            mark = _afresh(leg, mark, room.state.seat.epoch)
        else:
            mark = _from_word(leg, mark, cut)
        if mark.rx_index >= 0 and not leg.heard:
            warm(house, leg, mark, all_columns, now_ns)
        house.enliven(room.legs[leg.slot], mark, now_ns)
        _both_ways(house, room.legs[leg.slot], mark, former)


def _from_word(leg: Leg, mark: Mark, cut: LegCut) -> Mark:
    source = cut.rx_ssrc or mark.rx_ssrc
    report = mark.rx_srtcp
    if cut.rx_srtcp >= 0:
        report = (report >> 32 or source) << 32 | cut.rx_srtcp
    return mark._replace(
        tx_ssrc=mark.tx_ssrc or leg.state.ssrc,
        tx_index=cut.tx_index,
        tx_srtcp=cut.tx_srtcp,
        rx_ssrc=source,
        rx_index=cut.rx_index if cut.rx_ssrc else mark.rx_index,
        rx_srtcp=report,
    )


def take_over(
    house: House,
    room: MediaRoom,
    epoch: int,
    all_columns: dict[str, Any],
    now_ns: int,
    *,
    is_warm: bool,
    own: bool,
) -> None:
    """Every leg hears us under an SSRC that was never used for it. ``is_warm``: the room was mixed
    in the shadow; ``own``: nothing is known of it but what we had when we stopped."""
    for leg in list(room.legs.values()):
        last = columns.as_mark(all_columns, leg.state) if own else house.mark(leg.state)
        mark = _afresh(leg, last, epoch)
        if not is_warm:
            warm(house, leg, mark, all_columns, now_ns)
        house.enliven(room.legs[leg.slot], mark, now_ns)


def _afresh(leg: Leg, mark: Mark, epoch: int) -> Mark:
    return mark._replace(tx_ssrc=ssrc_of(leg.state.ssrc, epoch), tx_index=0, tx_srtcp=0)


def warm(house: House, leg: Leg, mark: Mark, all_columns: dict[str, Any], now_ns: int) -> None:
    """Make a leg ready to go on from the mark: as a restarted process does, from the columns."""
    columns.reset(all_columns, leg.state)
    columns.imprint(all_columns, leg.state, mark)
    house.renew(leg, now_ns)


def _both_ways(house: House, leg: Leg, mark: Mark, former: bytes) -> None:
    """Until it is known where the client listens."""
    if leg.secure and former and mark.port:
        house.reach(leg, Via(former, mark.ip, mark.port, alone=not leg.selected))
