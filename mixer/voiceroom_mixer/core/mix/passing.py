"""The loudest sender's packets on their way to everybody as they came: nothing is decoded or mixed.

They keep their order and their length and get the timestamps of the room's grid, so that a listener
sees one stream go on. Senders' clocks are not ours: when one is ahead a packet waits, and with too
many waiting the oldest is dropped, counted; when one is behind there is a gap, which listeners
conceal. Positions are in slots of 10 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from voiceroom_mixer.core.mix.groups import Listeners, MixKey
from voiceroom_mixer.core.mix.result import Contributors, MixOutput, TickResult
from voiceroom_mixer.core.mix.roster import Roster
from voiceroom_mixer.core.mix.rows import PassedOn
from voiceroom_mixer.core.receive.source import PacketOut

SLOT_SAMPLES: Final = 480
MAX_WAITING_SLOTS: Final = 12
"""Of the longest packet that Opus has."""
MAX_BYTES: Final = 1_275
"""A larger one does not fit into a datagram of ours: it is dropped, counted."""
GAP_FRAMES: Final = 5
"""So many frames without a packet are left to the listeners; then they get silence."""


class Placed(NamedTuple):
    """One packet in the frame."""

    payload: bytes
    ahead: int
    """Slots from the beginning of the frame to that of the packet."""


class Passage:
    """One room's."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._waiting_slots = 0
        self._covered = 0
        self._gap = 0
        self._slot = -1
        self.dropped = 0
        """Packets that were not sent on."""

    @property
    def broken(self) -> bool:
        """Nothing has come for so long that it is silence."""
        return self._gap >= GAP_FRAMES

    def reset(self) -> None:
        """Whatever waits is of another time."""
        self._waiting.clear()
        self._waiting_slots = self._covered = 0

    def frame(self, slot: int, packets: Iterable[PacketOut], slots: int) -> list[Placed]:
        """The packets that begin in this frame of ``slots``; ``packets`` came to their turn in it,
        of the sender in ``slot``."""
        if slot != self._slot:
            self._slot, self._gap = slot, 0
            self.reset()
        for packet in packets:
            self._wait(packet)
        placed, at = [], self._covered
        while self._waiting and at < slots:
            payload, length = self._waiting.popleft()
            self._waiting_slots -= length
            placed.append(Placed(payload, at))
            at += length
        self._covered = max(0, at - slots)
        self._gap = 0 if at else self._gap + 1
        return placed

    def _wait(self, packet: PacketOut) -> None:
        if len(packet.payload) > MAX_BYTES:
            self.dropped += 1
            return
        length = packet.samples // SLOT_SAMPLES
        self._waiting.append((packet.payload, length))
        self._waiting_slots += length
        while self._waiting_slots > MAX_WAITING_SLOTS:
            self._waiting_slots -= self._waiting.popleft()[1]
            self.dropped += 1


class Passing:
    """A room in which the loudest sender is sent on as he comes."""

    def __init__(self, roster: Roster, listeners: Listeners) -> None:
        self._roster, self._listeners = roster, listeners
        self.passage = Passage()
        self._heard = -1
        """Whose packets were sent last; -1 = silence was."""

    def tick(self, samples: int) -> TickResult:
        """One frame."""
        got, dropped = self._roster.pass_on(), self.passage.dropped
        placed = self.passage.frame(got.slot, got.packets, samples // SLOT_SAMPLES)
        sounds = got.slot >= 0 and not self.passage.broken
        result = TickResult(
            talkers=(got.slot,) if got.slot >= 0 else (),
            faults=got.faults,
            passed=len(placed),
            dropped=self.passage.dropped - dropped,
        )
        talkers = {got.slot: got.participant} if sounds else {}
        for key, slots in self._listeners.group(talkers).listeners.items():
            if not sounds or not _hears(key):
                result.outputs.append(MixOutput(slots, None, (), False))
                continue
            told = _told(got) if self._listeners.any_told(slots) else ()
            result.outputs.extend(
                MixOutput(slots, one.payload, told, self._heard != got.slot and not at, one.ahead)
                for at, one in enumerate(placed)
            )
        if placed or not sounds:
            self._heard = got.slot if sounds else -1
        return result


def _hears(key: MixKey) -> bool:
    """Neither the sender himself nor somebody who has muted him."""
    return all(factor > 0.0 for _, factor in key)


def _told(got: PassedOn) -> Contributors:
    return ((got.slot, got.level),)
