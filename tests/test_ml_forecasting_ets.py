"""Exponential smoothing: it finds what series are made of, and bears what they are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.ml.forecasting.ets import Smoothing, smooth

Floats = npt.NDArray[np.float64]

NAN = float("nan")
WAVE = np.array([3.0, 1.0, -2.0, -4.0, -1.0, 3.0])


def median(smoothing: Smoothing, steps: int) -> Floats:
    return np.asarray(np.median(smoothing.sample_paths(steps, 400, np.random.default_rng(0)), axis=0))


def test_a_season_on_a_line_goes_on() -> None:
    noise = np.random.default_rng(1).normal(0, 0.3, 126)
    truth = 20 + 0.5 * np.arange(126) + np.tile(WAVE, 21)
    found = smooth((truth + noise)[:120], 6)
    assert found.season != 0
    assert found.trend != 0
    # five standard deviations of the noise
    assert np.abs(median(found, 6) - truth[120:]).max() < 1.5


def test_a_season_that_grows_with_the_level_is_multiplicative() -> None:
    noise = np.random.default_rng(2).normal(1, 0.01, 120)
    truth = 100 * 1.02 ** np.arange(126) * np.tile(1 + WAVE / 10, 21)
    found = smooth(truth[:120] * noise, 6)
    assert found.kind in ("ETS(M,A,M)", "ETS(M,Ad,M)")
    assert median(found, 6) == pytest.approx(truth[120:], rel=0.1)


def test_noise_around_a_level_is_forecast_by_its_mean_and_spread() -> None:
    y = np.random.default_rng(3).normal(50, 4, 400)
    found = smooth(y, 7)
    assert found.kind in ("ETS(A,N,N)", "ETS(M,N,N)")
    paths = found.sample_paths(20, 1000, np.random.default_rng(0))
    assert paths.mean() == pytest.approx(50, abs=1)
    assert paths.std() == pytest.approx(4, rel=0.15)


def test_a_random_walk_spreads_with_the_root_of_time() -> None:
    y = 1000 + np.random.default_rng(4).normal(0, 1, 500).cumsum()
    paths = smooth(y, 1).sample_paths(100, 2000, np.random.default_rng(0))
    assert paths[:, 0].std() == pytest.approx(1, rel=0.15)
    assert paths[:, 99].std() == pytest.approx(10, rel=0.3)


def test_missing_values_are_stepped_over() -> None:
    truth = 20 + np.tile(WAVE, 21)
    y = truth[:120].copy()
    y[np.random.default_rng(5).random(120) < 0.3] = NAN
    y[:2] = y[-3:] = NAN
    assert median(smooth(y, 6), 6) == pytest.approx(truth[120:], abs=0.5)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e20])
def test_units_do_not_matter(unit: float) -> None:
    y = 20 + np.tile(WAVE, 20) + np.random.default_rng(6).normal(0, 1, 120)
    one, other = smooth(y, 6), smooth(y * unit, 6)
    assert one.kind == other.kind
    assert median(other, 12) == pytest.approx(median(one, 12) * unit, rel=1e-3)


@pytest.mark.parametrize(
    ("target", "forecast"),
    [([], 0.0), ([NAN, NAN], 0.0), ([5.0], 5.0), ([NAN, 5.0, NAN], 5.0), ([0.0] * 30, 0.0), ([7.0] * 30, 7.0)],
)
def test_what_says_little_stands_still(target: list[float], forecast: float) -> None:
    paths = smooth(np.array(target), 12).sample_paths(3, 5, np.random.default_rng(0))
    assert paths == pytest.approx(np.full((5, 3), forecast), rel=1e-6)


def test_a_season_that_was_not_seen_twice_is_left_out() -> None:
    found = smooth(10 + np.tile(WAVE, 4)[:23] + np.arange(23) % 2, 12)
    assert len(found.seasonal) == 1


SERIES = {
    "zeros among counts": np.random.default_rng(1).poisson(0.3, 200).astype(float),
    "one that is far out": np.where(np.arange(100) == 50, 1e9, 1.0),
    "one at the end": np.where(np.arange(100) == 99, 1e9, 1.0),
    "growth": 1.3 ** np.arange(100),
    "both signs": np.random.default_rng(2).normal(0, 1, 100).cumsum(),
    "negative": -100 - np.random.default_rng(3).random(100),
    "nearly zero": np.random.default_rng(4).random(100) * 1e-300,
    "large": np.random.default_rng(5).random(100) * 1e30,
    "steps": np.repeat([1.0, 100.0, 1.0, 1000.0], 25),
    "a season without two places": np.tile([5.0, NAN, 3.0, NAN], 30),
    "mostly missing": np.where(np.arange(200) % 37 == 0, 4.0, NAN),
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("season", [1, 4, 12])
def test_paths_stay_finite_and_within_ten_times_what_was(name: str, season: int) -> None:
    y = SERIES[name]
    paths = smooth(y, season).sample_paths(200, 50, np.random.default_rng(0))
    assert np.isfinite(paths).all()
    assert np.abs(paths).max() <= 10.001 * np.nanmax(np.abs(y))
    if np.nanmin(y) >= 0:
        assert paths.min() >= 0


@given(st.lists(st.floats(-1e30, 1e30) | st.integers(0, 3).map(float) | st.just(NAN), max_size=40), st.integers(1, 10))
def test_any_series_has_a_forecast(target: list[float], season: int) -> None:
    paths = smooth(np.array(target), season).sample_paths(12, 5, np.random.default_rng(0))
    assert np.isfinite(paths).all()


def test_of_a_long_series_the_end_counts() -> None:
    y = np.random.default_rng(7).normal(50, 4, 12_000)
    changed = np.concatenate([np.full(2_000, 1e6), y[2_000:]])
    assert (median(smooth(y, 4), 8) == median(smooth(changed, 4), 8)).all()


def test_the_same_generator_gives_the_same_paths() -> None:
    found = smooth(SERIES["both signs"], 4)
    one, other = (found.sample_paths(5, 5, np.random.default_rng(9)) for _ in range(2))
    assert (one == other).all()
