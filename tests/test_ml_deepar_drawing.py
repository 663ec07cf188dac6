"""Draws from the five distributions follow the densities that training maximises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from restframe.ml.deepar.drawing import PARAMETER_COUNTS, Dice

OUTPUT = {
    "student-T": (0.4, -0.3, 1.0), "gaussian": (0.4, -0.3), "negative-binomial": (0.6, -0.5), "beta": (0.8, 1.4),
}  # fmt: skip
SCALE = 4.0


def draws(likelihood: str, count: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """In the target's units."""
    dice = Dice(likelihood, count, 1, np.random.SeedSequence(seed))
    output = np.tile(np.float32(OUTPUT[likelihood]), (count, 1))
    return dice.draw(0, output, np.full(count, SCALE, np.float32)).astype(float) * SCALE


def density(likelihood: str, at: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import torch

    from restframe.ml.deepar.likelihoods import loss

    output = torch.tensor(OUTPUT[likelihood], dtype=torch.float64).expand(len(at), -1)
    nats: np.ndarray[Any, Any] = loss(likelihood, output, torch.from_numpy(at), torch.full((len(at),), SCALE)).numpy()
    return np.exp(-nats)


@pytest.mark.parametrize("likelihood", ["student-T", "gaussian", "beta"])
def test_the_density_is_one_and_the_draws_follow_it(likelihood: str) -> None:
    grid = np.linspace(1e-4, 1 - 1e-4, 20_001) if likelihood == "beta" else np.linspace(-400, 400, 400_001)
    mass = np.concatenate([[0.0], np.cumsum(density(likelihood, grid)[1:] * np.diff(grid))])
    assert mass[-1] == pytest.approx(1.0, abs=2e-3)
    sample = np.sort(draws(likelihood, 20_000))
    distance = np.abs(np.interp(sample, grid, mass) - (np.arange(20_000) + 0.5) / 20_000).max()
    assert distance < 0.0138  # Kolmogorov and Smirnov: 0.1 % of correct samples are farther


def test_counts_follow_their_probabilities() -> None:
    sample = draws("negative-binomial", 20_000)
    np.testing.assert_allclose(sample, np.round(sample), atol=1e-4)
    probability = density("negative-binomial", np.arange(200.0))
    assert probability.sum() == pytest.approx(1.0, abs=1e-3)
    seen = np.bincount(np.round(sample).astype(int), minlength=200)[:200] / 20_000
    assert np.abs(np.cumsum(seen) - np.cumsum(probability)).max() < 0.0138


def test_a_point_forecast_has_no_chance() -> None:
    dice = Dice("deterministic-L1", 3, 1, np.random.SeedSequence(0))
    assert dice.draw(0, np.float32([[1], [2], [3]]), np.ones(3, np.float32)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("likelihood", list(PARAMETER_COUNTS))
def test_extreme_parameters_give_numbers(likelihood: str) -> None:
    for extreme in (-1e4, 1e4):
        output = np.full((50, PARAMETER_COUNTS[likelihood]), extreme, np.float32)
        dice = Dice(likelihood, 50, 1, np.random.SeedSequence(0))
        assert not np.isnan(dice.draw(0, output, np.full(50, 1e-3, np.float32))).any()
