from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from voiceroom_mixer.core.mix.limiter import CEILING, DELAY_SAMPLES, Limiter
from voiceroom_mixer.core.receive.source import Pcm


def limit(sound: NDArray[np.float64] | Pcm, size: int = 960, limiter: Limiter | None = None) -> Pcm:
    limiter = limiter or Limiter()
    source = np.asarray(sound, np.float32).reshape(-1, size)
    out = np.empty_like(source)
    for frame, limited in zip(source, out, strict=True):
        limiter.process(frame, limited, float(np.abs(frame).max()))
    return out.ravel()


def sine(hz: float, frames: int, amplitude: float) -> NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(frames * 960) / 48_000)


@pytest.mark.parametrize("size", [480, 960, 1920])
def test_below_the_ceiling_it_is_nothing_but_a_delay(size: int) -> None:
    sound = np.asarray(sine(440, 8, 0.96), np.float32)
    np.testing.assert_array_equal(limit(sound, size)[DELAY_SAMPLES:], sound[:-DELAY_SAMPLES])


@pytest.mark.parametrize("amplitude", [1.0, 2.0, 20.0, 1e4])
def test_a_loud_sine_stays_a_sine_below_the_ceiling(amplitude: float) -> None:
    out = limit(sine(1_000, 20, amplitude))
    assert np.abs(out).max() <= CEILING
    settled = out[9_600:].astype(np.float64)
    assert np.abs(settled).max() > 0.9 * CEILING
    n = np.arange(len(settled))
    basis = np.stack([f(2 * np.pi * 1_000 * n / 48_000) for f in (np.sin, np.cos)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, settled, rcond=None)[0]
    distortion_db = 10 * np.log10(np.mean((settled - fit) ** 2) / np.mean(fit**2))
    assert distortion_db < -50


def test_the_gain_comes_down_before_the_peak_and_without_a_step() -> None:
    sound = np.full(9_600, 0.5)
    sound[5_000] = 3.0
    out = limit(sound)[DELAY_SAMPLES:]
    gain = out / sound[: len(out)]
    assert gain[5_000] * 3.0 <= CEILING
    assert gain[4_900] == pytest.approx(1.0)
    assert np.abs(np.diff(gain)).max() < 0.02


def test_the_gain_comes_back_and_then_it_is_exact_again() -> None:
    sound = np.concatenate([sine(400, 2, 2.0), sine(400, 60, 0.5)])
    out = limit(sound)
    half = 1_920 + int(0.05 * 48_000)
    assert np.abs(out[half : half + 960]).max() > 0.35
    tail = np.asarray(sound, np.float32)[-1_920 - DELAY_SAMPLES : -DELAY_SAMPLES]
    np.testing.assert_array_equal(out[-1_920:], tail)


def test_frame_borders_are_not_heard() -> None:
    rng = np.random.default_rng(5)
    sound = np.asarray(rng.standard_normal(19_200), np.float32)
    np.testing.assert_allclose(limit(sound, 480), limit(sound, 1920), atol=2e-7)


def test_another_limiter_goes_on_where_this_one_is() -> None:
    sound = sine(300, 10, 3.0)
    whole = limit(sound)
    first, second = Limiter(), Limiter()
    limit(sound[:4_800], limiter=first)
    second.continue_from(first)
    np.testing.assert_array_equal(limit(sound[4_800:], limiter=second), whole[4_800:])


def test_reset_forgets() -> None:
    limiter = Limiter()
    limit(sine(300, 2, 3.0), limiter=limiter)
    limiter.reset()
    assert not limit(np.zeros(1_920), limiter=limiter).any()
