"""Which listener hears which stream from frame to frame, so that no change is heard as a seam.

* A mix that only gets another name (a wish about a talker changed) keeps its stream.
* A new mix goes on from the stream that its listeners come from.
* A listener who moves into a mix with other gains than his stays apart for one frame more, in
  which his gains ramp to those of the mix that he moves into.
* The common mix never loses its stream, whoever comes and goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.mix.bus import Gains
from voiceroom_mixer.core.mix.groups import (
    COMMON,
    EMPTY,
    Grouping,
    Listeners,
    MixKey,
    Slots,
    block_own,
    gains,
)
from voiceroom_mixer.core.mix.stream import MixStream


class Channel(NamedTuple):
    """One distinct mix with somebody listening."""

    key: MixKey
    stream: MixStream
    listeners: Slots
    told: bool
    """Any of them is told who is heard (RFC 6465)."""


class Arrangement:
    """The distinct mixes of one room, and the gains with which the last frame ended."""

    def __init__(self, listeners: Listeners, make_stream: Callable[[], MixStream]) -> None:
        self._listeners = listeners
        self._make_stream = make_stream
        self._grouping: Grouping = EMPTY
        self._streams: dict[MixKey, MixStream] = {COMMON: make_stream()}
        self._talkers: dict[int, str] = {}
        self._version = -1
        self._moving = False
        self._newcomers: set[int] = set()
        self._keys: list[MixKey] = []
        self._columns: tuple[int, ...] = ()
        self._gains: Gains = np.zeros((0, 0), np.float32)
        self.channels: list[Channel] = []

    def streams(self) -> Iterable[MixStream]:
        """The streams of all mixes."""
        return self._streams.values()

    def key_of(self, slot: int) -> MixKey:
        """The mix that a listener has heard in the last frame."""
        return self._grouping.key_of(slot)

    def welcome(self, slot: int) -> None:
        """A new listener: his decoder knows nothing of the stream that he will hear."""
        self._newcomers.add(slot)

    def fade_in(self) -> None:
        """Frames were skipped: let everything begin from silence, and predict nothing."""
        self._gains[:] = 0.0
        for stream in self._streams.values():
            stream.begin_anew()

    def rest(self) -> None:
        """What listeners hear comes from elsewhere: begin from silence when it is our turn."""
        self._gains[:] = 0.0
        for stream in self._streams.values():
            stream.rest()

    def close(self) -> None:
        """Give all encoders back."""
        for stream in self._streams.values():
            stream.close()

    def arrange(self, talkers: Mapping[int, str]) -> bool:
        """Bring ``channels`` up to date for these talkers (slot to participant); whether anything
        has changed."""
        same = self._version == self._listeners.version and self._talkers == talkers
        if same and not self._moving:
            return False
        self._version, self._talkers = self._listeners.version, dict(talkers)
        target = self._listeners.group(talkers)
        grouping = self._settle(target)
        origins = self._origins(grouping)
        streams = self._place(grouping, origins)
        self._reorder(grouping, origins, tuple(talkers))
        for stream in set(self._streams.values()) - set(streams.values()):
            stream.close()
        self._streams, self._grouping = streams, grouping
        self._newcomers.clear()
        self.channels = [
            Channel(key, streams[key], slots, self._listeners.any_told(slots))
            for key, slots in grouping.listeners.items()
        ]
        return True

    def gain_table(self, common: NDArray[np.float32], held: list[int]) -> tuple[Gains, Gains]:
        """Gains (mixes, talkers) at the start and at the end of the frame.

        ``common``: gain of each talker in the common mix. ``held``: columns that keep the gain
        they had.
        """
        before = self._gains
        after = gains(self._keys, self._columns, common)
        if held:
            after[:, held] = before[:, held]
        block_own(self._keys, self._columns, before)
        block_own(self._keys, self._columns, after)
        return before, after

    def ended(self, after: Gains, gone: list[int]) -> None:
        """The frame has been mixed; ``gone``: columns of talkers who are not heard any more."""
        after[:, gone] = 0.0
        self._gains = after

    def start_at_zero(self, column: int) -> None:
        """This talker has nothing to do with an earlier one in the same slot."""
        self._gains[:, column] = 0.0

    def _movers(self, target: Grouping) -> dict[int, MixKey]:
        """Listeners whose mix changes, with the one that they come from."""
        old = self._grouping
        slots = (old.special.keys() | target.special.keys()) - self._newcomers
        return {
            slot: old.key_of(slot)
            for slot in sorted(slots)
            if slot in self._listeners and old.key_of(slot) != target.key_of(slot)
        }

    def _settle(self, target: Grouping) -> Grouping:
        """``target``, but whoever would hear a step stays apart for this frame."""
        row = {key: at for at, key in enumerate(self._keys)}
        special = dict(target.special)
        self._moving = False
        for slot, origin in self._movers(target).items():
            key = target.key_of(slot)
            if key not in row or origin not in row:
                continue
            if not np.array_equal(self._gains[row[key]], self._gains[row[origin]]):
                special[slot] = (*key, (-1 - row[origin], 1.0))
                self._moving = True
        return self._listeners.gather(special) if self._moving else target

    def _origins(self, grouping: Grouping) -> dict[MixKey, list[MixKey]]:
        """For each mix that gains listeners, where they come from; none for newcomers."""
        origins: dict[MixKey, list[MixKey]] = {}
        for slot, origin in self._movers(grouping).items():
            origins.setdefault(grouping.key_of(slot), []).append(origin)
        for slot in self._newcomers:
            if slot in self._listeners:
                origins.setdefault(grouping.key_of(slot), [])
        return origins

    def _place(
        self, grouping: Grouping, origins: dict[MixKey, list[MixKey]]
    ) -> dict[MixKey, MixStream]:
        """A stream for each mix: its own, another's that has lost all listeners, or a new one."""
        streams = {COMMON: self._streams[COMMON]}
        known = set(self._keys)
        leftover = {k for k in self._streams if k not in grouping.listeners and k != COMMON}
        for key in grouping.listeners:
            sources = origins.get(key, [])
            if key in known:
                streams[key] = self._streams[key]
                if key in origins:
                    streams[key].begin_anew()
            else:
                streams[key] = self._new_stream(key, sources, leftover)
                if len(set(sources)) > 1 or self._has_newcomer(grouping.listeners[key]):
                    streams[key].begin_anew()
        return streams

    def _has_newcomer(self, slots: Slots) -> bool:
        return bool(self._newcomers) and not self._newcomers.isdisjoint(slots.tolist())

    def _new_stream(self, key: MixKey, sources: list[MixKey], leftover: set[MixKey]) -> MixStream:
        origin = sources[0] if sources else None
        if key != COMMON and origin in leftover:
            leftover.discard(origin)
            return self._streams[origin]
        stream = self._streams[COMMON] if key == COMMON else self._make_stream()
        if origin is None:
            stream.rest()
        else:
            stream.continue_from(self._streams[origin])
        return stream

    def _reorder(
        self,
        grouping: Grouping,
        origins: dict[MixKey, list[MixKey]],
        columns: tuple[int, ...],
    ) -> None:
        """Carry the last gains over to the new rows (mixes) and columns (talkers)."""
        keys = list(grouping.listeners)
        old_row = {key: at for at, key in enumerate(self._keys)}
        table = np.zeros((len(keys), len(columns)), np.float32)
        shared = [slot for slot in columns if slot in self._columns]
        to = [columns.index(slot) for slot in shared]
        source = [self._columns.index(slot) for slot in shared]
        for row, key in enumerate(keys):
            origin = key if key in old_row else next(iter(origins.get(key, [])), None)
            if origin in old_row:
                table[row, to] = self._gains[old_row[origin], source]
        self._keys, self._columns, self._gains = keys, columns, table
