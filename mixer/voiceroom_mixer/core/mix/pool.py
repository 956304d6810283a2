"""Frames of PCM that are used again: the tick allocates nothing that grows."""

from __future__ import annotations

from typing import Final

import numpy as np

from voiceroom_mixer.core.receive.source import Pcm

DEFAULT_FRAMES: Final = 256


class PcmPool:
    """Lends float32 frames of any length; keeps at most ``frames`` of them.

    Beyond that bound a frame is made for the moment and dropped when it comes back (a miss each
    time). A frame that is not given back by ``reclaim`` is counted as leaked and forgotten.
    """

    def __init__(self, frames: int = DEFAULT_FRAMES) -> None:
        """``frames``: most frames kept, lent and free together."""
        self._bound = frames
        self._free: dict[int, list[Pcm]] = {}
        self._lent: dict[int, Pcm] = {}
        self._addresses: dict[int, int] = {}
        self._kept = 0
        self.hits = 0
        """Frames lent that were there already."""
        self.misses = 0
        """Frames that had to be allocated."""
        self.leaked = 0
        self.bytes_allocated = 0
        """All bytes ever allocated."""

    @property
    def lent(self) -> int:
        """Frames that are out now."""
        return len(self._lent)

    @property
    def kept(self) -> int:
        """Frames held, lent or free, within the bound."""
        return self._kept

    def take(self, samples: int) -> Pcm:
        """A frame with undefined content; give the very same array back."""
        free = self._free.get(samples)
        if free:
            frame = free.pop()
            self.hits += 1
        else:
            frame = np.empty(samples, np.float32)
            self.misses += 1
            self.bytes_allocated += frame.nbytes
            self._kept += 1
            self._addresses[id(frame)] = frame.ctypes.data
        self._lent[id(frame)] = frame
        return frame

    def address(self, frame: Pcm) -> int:
        """Where the frame's first sample is; quick for a frame that is lent, right for any."""
        return self._addresses.get(id(frame)) or frame.ctypes.data

    def give(self, frame: Pcm) -> None:
        """Take a frame back. Raises ``ValueError`` for one that is not out: a bug of the caller."""
        if self._lent.pop(id(frame), None) is None:
            raise ValueError("frame was not lent by this pool, or was given back twice")
        if self._kept > self._bound:
            self._kept -= 1
            del self._addresses[id(frame)]
        else:
            self._free.setdefault(len(frame), []).append(frame)

    def reclaim(self) -> int:
        """Count and forget the frames still out; call it where none should be. Returns how many."""
        lost = len(self._lent)
        self.leaked += lost
        self._kept -= lost
        for key in self._lent:
            del self._addresses[key]
        self._lent.clear()
        return lost
