"""What a room on the move has to be told or made ready for, some of it after each tick."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.moving.messages import Epoch
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.moving import streams
from voiceroom_mixer.media.moving.chair import Chair
from voiceroom_mixer.media.moving.post import Post

TELL_EVERY_NS: Final = 200 * NS_PER_MS
WARM_AT_ONCE: Final = 8
"""Legs in a tick."""


class Errands:
    """Of a media process's chairs: of hundreds of rooms few have any, and only they are run."""

    def __init__(self, segment: Segment, house: House, post: Post) -> None:
        self._segment, self._house, self._post = segment, house, post
        self._chairs: dict[int, Chair] = {}

    def add(self, chair: Chair) -> None:
        """It may have one: it is looked at after the next tick."""
        self._chairs[chair.room.state.slot] = chair

    def drop(self, slot: int) -> None:
        """The room is over."""
        self._chairs.pop(slot, None)

    def run(self, now_ns: int) -> None:
        """After each tick."""
        for slot, chair in tuple(self._chairs.items()):
            self._run(chair, now_ns)
            if not chair.has_errands(now_ns):
                del self._chairs[slot]

    def _run(self, chair: Chair, now_ns: int) -> None:
        if chair.to_warm:
            self._warm(chair, now_ns)
        self.repeat(chair, now_ns)
        if now_ns < chair.tell_until_ns:
            self.tell_again(chair, now_ns)

    def _warm(self, chair: Chair, now_ns: int) -> None:
        """Some more of its legs."""
        for _ in range(min(WARM_AT_ONCE, len(chair.to_warm))):
            leg = chair.room.legs.get(chair.to_warm.popleft())
            if leg is not None and not leg.live:
                mark = self._house.mark(leg.state)
                streams.warm(self._house, leg, mark, self._segment.columns, now_ns)
        chair.warmed()

    def repeat(self, chair: Chair, now_ns: int) -> None:
        """The last word, as far as it is due."""
        if chair.owner is not None and chair.target and not chair.room.live:
            for word in chair.owner.words(now_ns):
                self._post.send(chair.target, word)

    def tell(self, chair: Chair, now_ns: int) -> None:
        """Whoever mixed before us stops at the sight of our epoch."""
        chair.told_ns = now_ns
        if chair.former and chair.room.live:
            self._post.send(chair.former, Epoch(chair.key, chair.epoch))

    def tell_again(self, chair: Chair, now_ns: int) -> None:
        """The same, no oftener than it may be."""
        if now_ns - chair.told_ns >= TELL_EVERY_NS:
            self.tell(chair, now_ns)
