from __future__ import annotations

import numpy as np
import pytest

from voiceroom_mixer.core.mix.pool import PcmPool


def test_a_frame_comes_back_for_the_next_one() -> None:
    pool = PcmPool()
    first = pool.take(960)
    pool.give(first)
    assert pool.take(960) is first
    assert (pool.hits, pool.misses, pool.lent) == (1, 1, 1)
    assert pool.bytes_allocated == 960 * 4


def test_frames_of_another_length_are_other_frames() -> None:
    pool = PcmPool()
    pool.give(pool.take(960))
    assert len(pool.take(480)) == 480
    assert pool.misses == 2


def test_memory_is_bounded_and_goes_back_after_a_peak() -> None:
    pool = PcmPool(frames=4)
    for frame in [pool.take(960) for _ in range(10)]:
        pool.give(frame)
    assert (pool.kept, pool.lent) == (4, 0)
    for frame in [pool.take(960) for _ in range(4)]:
        pool.give(frame)
    assert pool.misses == 10


def test_what_is_not_given_back_is_counted_and_forgotten() -> None:
    pool = PcmPool()
    kept = pool.take(960)
    assert pool.reclaim() == 1
    assert (pool.leaked, pool.lent, pool.kept) == (1, 0, 0)
    with pytest.raises(ValueError, match="not lent"):
        pool.give(kept)


def test_giving_twice_or_a_stranger_is_refused() -> None:
    pool = PcmPool()
    frame = pool.take(960)
    pool.give(frame)
    for stranger in (frame, np.zeros(960, np.float32)):
        with pytest.raises(ValueError, match="given back twice"):
            pool.give(stranger)
