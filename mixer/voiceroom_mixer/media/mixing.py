"""The rooms of a tick: each mixed in its turn, its packets queued, its events told.

The turn is by urgency (``core/defend/urgency.py``). A room whose deadline passes while it waits
goes to a lane of its own, which is mixed last and counted; in the next tick it is the first among
equals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from voiceroom_mixer.core.defend.measures import LEVELS
from voiceroom_mixer.core.defend.urgency import Task, Weights, order
from voiceroom_mixer.core.mix.result import TickResult
from voiceroom_mixer.core.mix.talkers import TalkEvent
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.layout import CONTROL_WEIGHTS
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.core.timing.schedule import SLOT_NS, TickPlan
from voiceroom_mixer.edge import kept
from voiceroom_mixer.edge.clock import Clock
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.delays import Delays
from voiceroom_mixer.media.egress import Egress
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.moving.moves import Moves, Turn
from voiceroom_mixer.media.rooms import MediaRoom

DEFEND_AT_ONCE: Final = 8
"""Rooms whose settings follow the ladder in one tick: a step must not cost what it is to save."""
SELDOM: Final = 5
"""Of so many ticks one asks for the turn of a room that is empty and in no move: somebody may have
died whose twin this is. Odd, so that it meets the grids of all frame sizes."""
LOOK_SLOTS: Final = 100
"""How often the pool's weights are looked at: once a second."""


class Place(NamedTuple):
    """A room whose turn it is."""

    room: MediaRoom
    slot: int
    due_ns: int
    """When its frame was due, monotonic."""
    turn: Turn


class Mixing:
    """All rooms of one media process."""

    def __init__(
        self,
        segment: Segment,
        board: Board,
        house: House,
        egress: Egress,
        moves: Moves,
        delays: Delays,
        *,
        say: Callable[[Message], None],
        frames_changed: Callable[[], None],
        monotonic: Clock = kept.monotonic_ns,
    ) -> None:
        self._segment, self._board = segment, board
        self._house, self._egress, self._moves = house, egress, moves
        self._say, self._frames_changed, self._delays = say, frames_changed, delays
        self._monotonic = monotonic
        self.measures = LEVELS[0]
        """What the ladder takes away from every room."""
        self.weights = Weights()
        """The pool's ``spec.scheduling``."""
        self._until_ns = 0
        self._may_follow = 0
        self._look_slot = 0
        self._ticks = 0
        self._waited: set[int] = set()
        """Slots of the rooms that came too late in the tick before."""

    def run(self, plan: TickPlan, until_ns: int) -> int:
        """Mix every room whose turn it is; how many talk. After ``until_ns`` no further talker is
        taken into a mix."""
        self._until_ns, self._may_follow = until_ns, DEFEND_AT_ONCE
        if plan.slot >= self._look_slot:
            self._look_slot = plan.slot + LOOK_SLOTS
            self._look()
        places = self._places(plan)
        if len(places) > 1:
            places = self._in_order(places)
        talkers, late = 0, []
        for place in places:
            if self._monotonic() > place.due_ns + self.weights.deadline_ns:
                late.append(place)
            else:
                talkers += self._mix(plan, place)
        if late or self._waited:
            self._waited = {place.room.state.slot for place in late}
            self._board.add("rooms_expired", len(late))
        return talkers + sum(self._mix(plan, place) for place in late)

    def _look(self) -> None:
        """Take up what control has written."""
        table = self._segment.tables["control"]
        raw = table.read(CONTROL_WEIGHTS) if table.high > CONTROL_WEIGHTS else None
        if raw is not None:
            self.weights = Weights.from_bytes(raw)

    def _places(self, plan: TickPlan) -> list[Place]:
        """Whose turn it is."""
        places = []
        self._ticks += 1
        seldom = self._ticks % SELDOM
        for at, room in self._house.rooms.items():
            if room.measures is not self.measures:
                self._follow(room)
            if not (room.legs or room.restless) and at % SELDOM != seldom:
                continue
            slot = plan.frame_slot(room.frame_ms)
            if slot is None:
                continue
            turn = self._moves.turn(room, slot)
            if turn is not Turn.REST and room.legs:
                due_ns = plan.deadline_ns - (plan.slot - slot) * SLOT_NS
                places.append(Place(room, slot, due_ns, turn))
        return places

    def _in_order(self, places: list[Place]) -> list[Place]:
        if self._waited:
            places.sort(key=lambda place: place.room.state.slot not in self._waited)
        if len({place.slot for place in places}) == 1:
            return places  # all were due at once, and all have one rate
        tasks = (Task(at, place.due_ns) for at, place in enumerate(places))
        living, late = order(tasks, self.weights, self._monotonic())
        return [places[task.room] for task in (*living, *late)]

    def _follow(self, room: MediaRoom) -> None:
        if self._may_follow:
            self._may_follow -= 1
            room.defend(self.measures)

    def _prepare(self, plan: TickPlan, room: MediaRoom, slot: int) -> None:
        skipped = plan.frames_skipped(room.frame_ms)
        if skipped:
            self._pass_over(room, skipped)
        if room.next_frame_ms != room.frame_ms and plan.frame_slot(room.next_frame_ms) == slot:
            room.reframe()
            self._frames_changed()

    def _mix(self, plan: TickPlan, place: Place) -> int:
        """One room's frame; how many talk."""
        room, slot = place.room, place.slot
        self._prepare(plan, room, slot)
        delays = self._delays
        delays.begin(place.due_ns)
        result = room.tick(self._late, delays.collected)
        delays.end(sounds=result.encodes > 0)
        if place.turn is Turn.SHADOW:
            self._note_talkers(room, result)
            return 0
        dtx, at = room.state.dtx, slot + room.shift
        for output in result.outputs:
            times = delays.times(output.contributors, room.legs) if self._egress.stamps else b""
            self._egress.mix(output, at + output.ahead, room.frame_ms, dtx=dtx, times=times)
            self._moves.relay(output, at + output.ahead, room)
        self._tell(room, result)
        return len(result.talkers)

    def _late(self) -> bool:
        return self._monotonic() > self._until_ns

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
