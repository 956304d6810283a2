from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from voiceroom_mixer.core.mix.resample import FractionalResampler, RateConverter
from voiceroom_mixer.core.receive.source import Pcm


def sine(hz: float, samples: int, rate: int = 48_000) -> Pcm:
    return np.asarray(0.5 * np.sin(2 * np.pi * hz * np.arange(samples) / rate), np.float32)


def through(resampler: FractionalResampler, sound: Pcm, size: int = 960) -> Pcm:
    out = []
    for at in range(0, len(sound), 960):
        resampler.push(sound[at : at + 960])
        while (frame := resampler.pull(size)) is not None:
            out.append(frame)
    return np.concatenate(out)


def residual_db(sound: Pcm, hz: float) -> float:
    """All that is not a sine of this frequency, against the sine (THD+N)."""
    values: NDArray[np.float64] = sound.astype(np.float64)
    turn = 2 * np.pi * hz * np.arange(len(values)) / 48_000
    basis = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return float(10 * np.log10(np.mean((values - fit) ** 2) / np.mean(fit**2)))


@pytest.mark.parametrize("ppm", [-500.0, -20.0, 100.0, 500.0])
@pytest.mark.parametrize(("hz", "limit_db"), [(1_000.0, -75.0), (8_000.0, -70.0)])
def test_a_tone_stays_a_tone(ppm: float, hz: float, limit_db: float) -> None:
    resampler = FractionalResampler()
    resampler.skew_ppm = ppm
    out = through(resampler, sine(hz, 48_000))
    assert residual_db(out[960:], hz * (1 + ppm * 1e-6)) < limit_db


def test_without_skew_samples_pass_bit_for_bit() -> None:
    sound = sine(997.0, 9_600)
    out = through(FractionalResampler(), sound)
    np.testing.assert_array_equal(out, sound[: len(out)])
    assert len(out) == 8_640


def test_minutes_consume_exactly_what_the_skew_says() -> None:
    resampler = FractionalResampler()
    resampler.skew_ppm = 100.0
    pushed = pulled = 0
    frame = np.zeros(1_920, np.float32)
    out = np.empty(1_920, np.float32)
    while pulled < 120 * 48_000:
        if resampler.pull_into(out):
            pulled += len(out)
        else:
            resampler.push(frame)
            pushed += len(frame)
    consumed = pushed - resampler.buffered
    assert consumed == pytest.approx(pulled * (1 + 100e-6), abs=1.0)
    assert resampler.dropped_samples == 0


def test_the_ratio_changes_without_a_click() -> None:
    resampler = FractionalResampler()
    sound = sine(1_000.0, 96_000)
    out = []
    for at in range(0, len(sound), 960):
        resampler.skew_ppm = 500.0 * (-1) ** (at // 960)
        resampler.push(sound[at : at + 960])
        while (frame := resampler.pull(960)) is not None:
            out.append(frame)
    joined = np.concatenate(out)[960:]
    curvature = np.abs(np.diff(joined, 2)).max()
    assert curvature < 1.02 * np.abs(np.diff(sound, 2)).max()


def test_frames_are_whole_or_not_at_all() -> None:
    resampler = FractionalResampler()
    assert resampler.available == 0
    assert resampler.pull(1) is None
    resampler.push(np.zeros(960, np.float32))
    assert resampler.available == 960 - resampler.LOOKAHEAD
    assert resampler.pull(960) is None
    assert resampler.buffered == 960
    out = np.full(960, 7.0, np.float32)
    assert not resampler.pull_into(out)
    assert (out == 7.0).all()


@pytest.mark.parametrize("ppm", [-500.0, 0.0, 333.0])
def test_available_is_what_can_be_pulled(ppm: float) -> None:
    resampler = FractionalResampler()
    resampler.skew_ppm = ppm
    for size in (7, 960, 123, 480):
        resampler.push(np.zeros(size, np.float32))
        can = resampler.available
        assert resampler.pull(can + 1) is None
        if can:
            assert resampler.pull(can) is not None
        assert resampler.available == 0


def test_skew_is_held_within_bounds() -> None:
    resampler = FractionalResampler()
    resampler.skew_ppm = 9_000.0
    assert resampler.skew_ppm == 500.0
    resampler.skew_ppm = -9_000.0
    assert resampler.skew_ppm == -500.0


def test_the_oldest_samples_give_way_and_are_counted() -> None:
    resampler = FractionalResampler(capacity=2_000)
    resampler.push(np.zeros(1_500, np.float32))
    resampler.push(np.ones(1_500, np.float32))
    assert resampler.buffered == 2_000
    assert resampler.dropped_samples == 1_000
    out = resampler.pull(1_900)
    assert out is not None
    assert (out[:500].sum(), out[500:].sum()) == (0.0, 1_400.0)


def test_reset_forgets_the_samples() -> None:
    resampler = FractionalResampler()
    resampler.push(np.ones(960, np.float32))
    resampler.reset()
    assert resampler.buffered == 0
    resampler.push(np.zeros(960, np.float32))
    out = resampler.pull(900)
    assert out is not None
    assert not out.any()


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 24_000, 44_100, 48_000, 96_000])
def test_foreign_rates_become_48_khz(rate: int) -> None:
    converter = RateConverter(rate)
    sound = sine(1_000.0, rate, rate)
    step = rate // 50
    out = np.concatenate([converter.convert(sound[at : at + step]) for at in range(0, rate, step)])
    assert 48_000 - len(out) <= 48 * 20
    assert residual_db(out[2_000:], 1_000.0) < -70.0


def test_a_rate_converter_is_indifferent_to_how_it_is_fed() -> None:
    sound = sine(700.0, 16_000, 16_000)
    whole = RateConverter(16_000).convert(sound)
    converter = RateConverter(16_000)
    cuts = np.cumsum([0, 1, 2, 500, 33, 7_000, 8_464])
    pieces = [converter.convert(sound[a:b]) for a, b in pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_downsampling_does_not_alias() -> None:
    out = RateConverter(96_000).convert(sine(30_000.0, 96_000, 96_000))
    assert np.abs(out[2_000:]).max() < 1e-3


@pytest.mark.parametrize("rate", [0, -8_000, 3_999, 200_000])
def test_an_impossible_rate_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match=f"sample rate {rate} Hz"):
        RateConverter(rate)
