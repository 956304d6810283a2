from __future__ import annotations

import numpy as np
import pytest

from voiceroom_mixer.core.mix.levels import is_silent, level_dbov, mean_square


@pytest.mark.parametrize(
    ("frame", "level"),
    [
        (np.ones(960), 0),
        (4.0 * np.ones(960), 0),
        (np.sin(2 * np.pi * np.arange(960) / 48), 3),
        (0.1 * np.ones(960), 20),
        (0.001 * np.ones(960), 60),
        (np.zeros(960), 127),
        (1e-9 * np.ones(960), 127),
    ],
    ids=["full", "over", "sine", "-20", "-60", "silence", "below"],
)
def test_level_is_minus_dbov(
    frame: np.ndarray[tuple[int], np.dtype[np.float64]], level: int
) -> None:
    assert level_dbov(np.asarray(frame, np.float32)) == level


def test_a_bad_sample_shows() -> None:
    frame = np.zeros(960, np.float32)
    frame[7] = np.nan
    assert not np.isfinite(mean_square(frame))


def test_quiet_voice_is_not_silence_but_digital_silence_is() -> None:
    assert not is_silent(59)
    assert is_silent(60)
    assert not is_silent(60, voice=True)
    assert is_silent(127, voice=True)
