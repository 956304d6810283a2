from __future__ import annotations

import numpy as np

from voiceroom_mixer.core.mix.levels import level_dbov
from voiceroom_mixer.core.mix.noise import ComfortNoise
from voiceroom_mixer.core.receive.source import Pcm


def run(noise: ComfortNoise, level: int, frames: int) -> Pcm:
    out = np.empty((frames, 960), np.float32)
    for row in out:
        noise.fill(row, level)
    return out.ravel()


def test_noise_has_the_level_that_was_asked_for() -> None:
    sound = run(ComfortNoise(1), 55, 50)
    assert abs(level_dbov(sound[960:]) - 55) <= 1


def test_noise_fades_in_and_levels_change_without_a_step() -> None:
    noise = ComfortNoise(1)
    sound = np.concatenate([run(noise, 40, 3), run(noise, 60, 3), run(noise, 127, 2)])
    assert abs(sound[0]) < 1e-6
    steady = np.abs(np.diff(sound[960:2880])).max()
    assert np.abs(np.diff(sound)).max() <= 1.5 * steady
    assert not sound[-960:].any()


def test_the_same_seed_gives_the_same_noise_and_another_one_does_not() -> None:
    same = run(ComfortNoise(7), 50, 5)
    np.testing.assert_array_equal(same, run(ComfortNoise(7), 50, 5))
    other = run(ComfortNoise(8), 50, 5)
    assert abs(np.corrcoef(same, other)[0, 1]) < 0.3


def test_noise_is_soft() -> None:
    spectrum = np.abs(np.fft.rfft(run(ComfortNoise(1), 40, 200)[960:])) ** 2
    hertz = np.linspace(0, 24_000, len(spectrum))
    low = spectrum[(hertz > 200) & (hertz < 1_000)].mean()
    high = spectrum[(hertz > 8_000) & (hertz < 16_000)].mean()
    assert 10 * np.log10(low / high) > 15


def test_noise_goes_on_over_its_end() -> None:
    sound = run(ComfortNoise(3), 40, 300)
    assert abs(level_dbov(sound[-48_000:]) - 40) <= 1
