"""The rooms of a tick: each mixed in its turn, its packets queued, its events told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from voiceroom_mixer.core.defend.measures import LEVELS
from voiceroom_mixer.core.mix.result import TickResult
from voiceroom_mixer.core.mix.talkers import TalkEvent
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.core.timing.schedule import TickPlan
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.egress import Egress
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.moving.moves import Moves, Turn
from voiceroom_mixer.media.rooms import MediaRoom

DEFEND_AT_ONCE: Final = 8
"""Rooms whose settings follow the ladder in one tick: a step must not cost what it is to save."""


class Mixing:
    """All rooms of one media process."""

    def __init__(
        self,
        segment: Segment,
        board: Board,
        house: House,
        egress: Egress,
        moves: Moves,
        *,
        say: Callable[[Message], None],
        frames_changed: Callable[[], None],
    ) -> None:
        self._segment, self._board = segment, board
        self._house, self._egress, self._moves = house, egress, moves
        self._say, self._frames_changed = say, frames_changed
        self.measures = LEVELS[0]
        """What the ladder takes away from every room."""
        self._until_ns = 0
        self._may_follow = 0

    def run(self, plan: TickPlan, until_ns: int) -> int:
        """Mix every room whose turn it is; how many talk. After ``until_ns`` no further talker is
        taken into a mix."""
        self._until_ns, self._may_follow = until_ns, DEFEND_AT_ONCE
        talkers = 0
        for room in self._house.rooms.values():
            if room.measures is not self.measures:
                self._follow(room)
            frame_ms = room.frame_ms
            slot = plan.frame_slot(frame_ms)
            turn = self._moves.turn(room, slot) if slot is not None else Turn.REST
            if slot is None or turn is Turn.REST or not room.legs:
                continue
            skipped = plan.frames_skipped(frame_ms)
            if skipped:
                self._pass_over(room, skipped)
            if room.next_frame_ms != frame_ms and plan.frame_slot(room.next_frame_ms) == slot:
                self._reframe(room)
            talkers += self._mix(room, slot, turn)
        return talkers

    def _follow(self, room: MediaRoom) -> None:
        if self._may_follow:
            self._may_follow -= 1
            room.defend(self.measures)

    def _reframe(self, room: MediaRoom) -> None:
        room.reframe()
        self._frames_changed()

    def _mix(self, room: MediaRoom, slot: int, turn: Turn) -> int:
        """One room's frame at ``slot``; how many talk."""
        result = room.tick(self._late)
        if turn is Turn.SHADOW:
            self._note_talkers(room, result)
            return 0
        dtx, at = room.state.dtx, slot + room.shift
        for output in result.outputs:
            self._egress.mix(output, at + output.ahead, room.frame_ms, dtx=dtx)
            self._moves.relay(output, at + output.ahead, room)
        self._tell(room, result)
        return len(result.talkers)

    def _late(self) -> bool:
        return clock.monotonic_ns() > self._until_ns

    def _pass_over(self, room: MediaRoom, skipped: int) -> None:
        """Frames that nobody heard: the senders' playout goes on without them, and what follows
        is faded in."""
        samples = skipped * room.frame_ms * 48
        for leg in room.legs.values():
            if leg.receiver.active:
                leg.receiver.skip(samples)
        room.mixer.fade_in()

    def _tell(self, room: MediaRoom, result: TickResult) -> None:
        """Count, and say who has begun or stopped to talk."""
        board = self._board
        board.add("frames_mixed")
        board.add("encodes", result.encodes)
        board.add("talkers_cut", result.cut)
        if result.passed or result.dropped:
            board.add("packets_passed", result.passed)
            board.add("packets_not_passed", result.dropped)
        for kind, name in enumerate(_KIND_COUNTERS):
            if name and result.kinds[kind]:
                board.add(name, result.kinds[kind])
        for slot in result.faults:
            board.add("leg_faults")
            self._house.end(room.legs[slot], layout.END_FAULT)
        for event in self._note_talkers(room, result):
            generation = room.legs[event.slot].state.generation
            self._say(Message(Kind.TALKING, event.slot, generation, bytes((event.on,))))

    def _note_talkers(self, room: MediaRoom, result: TickResult) -> list[TalkEvent]:
        """Into the segment: who has begun or stopped to talk."""
        events = [event for event in result.events if event.slot in room.legs]
        for event in events:
            self._segment.columns["talking"][event.slot] = event.on
        return events


_KIND_COUNTERS: Final = ("", "decodes", "fec_frames", "plc_frames", "noise_frames")
"""Counter for each ``FrameKind``."""
