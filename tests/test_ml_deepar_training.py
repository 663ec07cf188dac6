"""Training DeepAR: what it learns, when it ends, and what it refuses."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from restframe import errors
from restframe.ml.deepar import Asked, Configuration, EpochReport, Model, fit, save
from restframe.ml.forecasting.scores import score
from restframe.ml.forecasting.series import Series

Array = np.ndarray[Any, Any]

if TYPE_CHECKING:
    from torch import Tensor

MONDAY = np.datetime64("2024-01-01", "s")
TINY = Configuration(
    context_length=7, prediction_length=7, epochs=2, time_freq="D", mini_batch_size=16, num_cells=8, num_layers=1
)


def weekly(count: int, steps: int, seed: int = 0) -> list[Series]:
    """Poisson counts around a weekly wave, each series at a level of its own."""
    rng = np.random.default_rng(seed)
    wave = 1.0 + 0.8 * np.sin(np.arange(steps) * 2 * np.pi / 7)
    return [Series(MONDAY, rng.poisson(3.0 * (1 + i) * wave).astype(float), (i % 2,)) for i in range(count)]


class Watcher:
    """Keeps what it is told; ends training after so many batches."""

    def __init__(self, most_batches: int = 10**9) -> None:
        self.losses: list[tuple[int, int, float, int]] = []
        self.reports: list[EpochReport] = []
        self._most = most_batches

    def batch(self, epoch: int, batch: int, loss: float, examples: int) -> None:
        self.losses.append((epoch, batch, loss, examples))

    def epoch(self, report: EpochReport) -> None:
        self.reports.append(report)

    def stopping(self) -> bool:
        return len(self.losses) >= self._most


def wql_of(model: Model, series: list[Series], steps: int) -> float:
    history = tuple(dataclasses.replace(one, target=one.target[:-steps]) for one in series)
    samples = model.sample([Asked(history, samples=100, seed=1)])[0]
    return score(list(samples), [one.target[-steps:] for one in series]).mean_wql


def test_negative_binomial_beats_the_seasonal_naive_of_generated_counts() -> None:
    series = weekly(12, 200)
    training = [dataclasses.replace(one, target=one.target[:-14]) for one in series]
    configuration = Configuration(
        context_length=14, prediction_length=14, epochs=6, time_freq="D", likelihood="negative-binomial",
        mini_batch_size=32, num_cells=16, learning_rate=5e-3, cardinality=(2,),
    )  # fmt: skip
    wql = wql_of(fit(training, configuration), series, 14)
    naive = [np.tile(one.target[-21:-14], 2)[None] for one in series]
    bar = score(naive, [one.target[-14:] for one in series]).mean_wql
    assert wql < 0.75 * bar  # the noise of the counts themselves is 0.67 of it


def test_a_random_walk_is_expected_to_stay() -> None:
    rng = np.random.default_rng(0)
    walks = [Series(MONDAY, 1.0 + 0.005 * rng.standard_normal(500).cumsum()) for _ in range(4)]
    model = fit(walks, dataclasses.replace(TINY, epochs=5))
    samples = model.sample([Asked(tuple(walks), seed=0)])[0]
    last = np.array([one.target[-1] for one in walks])[:, None]
    np.testing.assert_allclose(np.median(samples, axis=1), np.broadcast_to(last, (4, 7)), rtol=0.01)
    assert (samples[:, :, 0].std(axis=1) < 0.02).all()


@pytest.mark.parametrize("likelihood", ["student-T", "gaussian", "negative-binomial", "beta", "deterministic-L1"])
def test_every_likelihood_learns_beside_gaps_and_forecasts_within_its_range(likelihood: Any) -> None:
    series = weekly(4, 60)
    rng = np.random.default_rng(0)
    for one in series:
        one.target[rng.random(60) < 0.2] = np.nan
        if likelihood == "beta":
            np.divide(one.target, np.nanmax(one.target), out=one.target)
    watcher = Watcher()
    model = fit(series, dataclasses.replace(TINY, likelihood=likelihood, epochs=6, learning_rate=1e-2), watcher)
    losses = [report.loss for report in watcher.reports]
    assert losses[-1] < losses[0]
    samples = model.sample([Asked(tuple(series), samples=20, seed=0)])[0]
    assert samples.shape == (4, 20, 7)
    assert np.isfinite(samples).all()
    if likelihood == "negative-binomial":
        assert (samples >= 0).all()
        np.testing.assert_allclose(samples, np.round(samples), atol=1e-3)  # counts, once divided by a scale
    if likelihood == "beta":
        assert ((samples >= 0) & (samples <= 1.0001)).all()
    if likelihood == "deterministic-L1":
        assert (samples == samples[:, :1]).all()


def test_dynamic_features_are_known_over_the_horizon() -> None:
    rng = np.random.default_rng(0)
    closed = (rng.random((6, 1, 150)) < 0.3).astype(np.float32)
    series = [Series(MONDAY, 10.0 * (1 - c[0, :143]) + rng.random(143), (), c) for c in closed]
    model = fit(series, dataclasses.replace(TINY, num_dynamic_feat=1, epochs=15, learning_rate=1e-2))
    forecast = np.median(model.sample([Asked(tuple(series), seed=0)])[0], axis=1)
    shut = closed[:, 0, 143:] > 0
    assert forecast[shut].mean() < 3 < 8 < forecast[~shut].mean()


def test_an_epoch_is_ten_batches_of_few_series_and_one_window_of_each_of_many() -> None:
    for count, expected in ((2, 160), (300, 300)):
        watcher = Watcher()
        fit(weekly(count, 30), dataclasses.replace(TINY, epochs=8), watcher)
        examples = [report.examples for report in watcher.reports]
        # the mean of 8 Poisson draws, within 5 of its deviations
        assert abs(np.mean(examples) - expected) < 5 * np.sqrt(expected / 8)
        assert len(set(examples)) > 1
        for report in watcher.reports:
            batches = [number for epoch, _, _, number in watcher.losses if epoch == report.epoch]
            assert sum(batches) == report.examples
            assert batches[:-1] == [16] * (len(batches) - 1)


def test_the_loss_of_an_epoch_is_the_mean_of_its_batches_and_the_best_is_kept() -> None:
    watcher = Watcher()
    model = fit(weekly(3, 60), dataclasses.replace(TINY, epochs=6), watcher)
    best = float("inf")
    for report in watcher.reports:
        losses = [loss for epoch, _, loss, _ in watcher.losses if epoch == report.epoch]
        assert report.loss == pytest.approx(np.mean(losses))
        assert report.best == (report.loss < best)
        best = min(best, report.loss)
    last_best = [report for report in watcher.reports if report.best][-1]
    assert (model.epoch, model.loss) == (last_best.epoch, last_best.loss)


def test_early_stopping_returns_the_best_epoch() -> None:
    noise = [Series(MONDAY, np.random.default_rng(0).standard_normal(60))]
    configuration = dataclasses.replace(TINY, epochs=200, early_stopping_patience=3, learning_rate=0.05)
    watcher = Watcher()
    model = fit(noise, configuration, watcher)
    last = watcher.reports[-1].epoch
    assert last < 199
    assert last == model.epoch + 3
    assert [report.best for report in watcher.reports[-4:]] == [True, False, False, False]
    # what was best stays as it was: training that is ended in the next epoch gives the same weights
    until_best = Watcher(1 + sum(1 for epoch, *_ in watcher.losses if epoch <= model.epoch))
    assert save(fit(noise, configuration, until_best)) == save(model)


def test_whoever_watches_may_end_it_also_in_the_first_epoch() -> None:
    watcher = Watcher(most_batches=3)
    model = fit(weekly(3, 60), TINY, watcher)
    assert len(watcher.losses) == 3
    assert [report.examples for report in watcher.reports] == [48]
    assert model.epoch == 0
    assert np.isfinite(model.sample([Asked(tuple(weekly(1, 60)))])[0]).all()


def test_the_same_seed_gives_the_same_model() -> None:
    series = weekly(3, 60)
    first = save(fit(series, TINY))
    assert save(fit(series, TINY)) == first
    assert save(fit(series, dataclasses.replace(TINY, seed=1))) != first


def test_training_takes_one_thread_and_leaves_their_number_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    taken = set()
    monkeypatch.setattr(Watcher, "stopping", lambda watcher: taken.add(torch.get_num_threads()))
    try:
        fit(weekly(1, 30), dataclasses.replace(TINY, epochs=1), Watcher())
        assert taken == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_series_too_short_or_without_observation_are_left_out() -> None:
    good = weekly(2, 60)
    empty = Series(MONDAY, np.full(60, np.nan), (0,))
    short = Series(MONDAY, np.ones(7), (0,))
    assert save(fit([*good, empty, short], TINY)) == save(fit(good, TINY))
    with pytest.raises(errors.DataError, match="no series has more than 7 steps and an observation"):
        fit([short, empty], TINY)
    with pytest.raises(errors.DataError, match="no series"):
        fit([], TINY)


def test_a_series_shorter_than_its_context_is_learned_from() -> None:
    series = [Series(MONDAY, np.arange(1.0, 10.0))]
    model = fit(series, dataclasses.replace(TINY, context_length=30))
    assert np.isfinite(model.sample([Asked(tuple(series))])[0]).all()


def test_what_was_not_observed_is_not_learned_from() -> None:
    from torch import where

    from restframe.ml.deepar.training import _Training

    series, learned = weekly(2, 60), []
    for one in series:
        one.target[::3] = np.nan
    for unseen in (0.0, 1000.0):
        training = _Training(series, TINY)
        batch = training.windows.batch(np.array([0, 1]), np.array([30, 40]))
        batch = batch._replace(target=where(batch.observed > 0, batch.target, unseen))
        learned.append((training.learn(batch, progress=0.9), training.network.weights()))
    (loss, weights), (other_loss, other_weights) = learned
    assert loss == other_loss
    assert all(np.array_equal(weights[name], other_weights[name]) for name in weights)


def test_a_batch_whose_gradient_is_not_finite_changes_nothing() -> None:
    from restframe.ml.deepar.training import _Training

    training = _Training(weekly(2, 60), TINY)
    before = training.network.weights()
    batch = training.windows.batch(np.array([0, 1]), np.array([30, 40]))
    assert not np.isfinite(training.learn(batch._replace(target=batch.target + np.inf), progress=0.9))
    assert all(np.array_equal(after, before[name]) for name, after in training.network.weights().items())
    assert all(np.array_equal(after, before[name]) for name, after in training.averaged().items())


def test_the_model_is_an_average_of_the_last_steps() -> None:
    from restframe.ml.deepar.training import _Training

    training = _Training(weekly(1, 60), dataclasses.replace(TINY, epochs=1))
    weights, averaged, last = training.run(None).weights, training.averaged(), training.network.weights()
    assert all(np.array_equal(weights[name], averaged[name]) for name in weights)
    assert not np.array_equal(weights["head.weight"], last["head.weight"])


def test_the_last_third_of_training_is_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    from restframe.ml.deepar.training import _Training

    training, halves = _Training(weekly(2, 60), TINY), list[bool]()
    forward, training.half = training.network.forward, True

    def noted(inputs: Tensor, categories: Tensor, *, half: bool) -> Tensor:
        halves.append(half)
        return forward(inputs, categories, half=False)

    monkeypatch.setattr(training.network, "forward", noted)
    for progress in (0.0, 0.6, 0.7):
        training.learn(training.windows.batch(np.array([0, 1]), np.array([30, 40])), progress)
    assert halves == [True, True, False]


def test_zeros_only_and_windows_without_observation_do_no_harm() -> None:
    gap = np.r_[np.arange(30.0), np.full(40, np.nan), np.arange(30.0)]
    watcher = Watcher()
    model = fit([Series(MONDAY, np.zeros(60)), Series(MONDAY, gap)], TINY, watcher)
    assert all(np.isfinite(report.loss) for report in watcher.reports)
    assert all(np.isfinite(array).all() for array in model.weights.values())


@pytest.mark.parametrize(
    ("change", "series", "message"),
    [
        ({"likelihood": "negative-binomial"}, Series(MONDAY, np.r_[np.ones(20), -2.0], item="north"),
         r'series 1 \("north"\) has a negative target, -2, which negative-binomial does not allow'),
        ({"likelihood": "beta"}, Series(MONDAY, np.r_[np.ones(20), 1.5]), "series 1 has a target of 1.5, and beta"),
        ({"likelihood": "beta"}, Series(MONDAY, np.r_[np.ones(20), -0.5]), "series 1 has a negative target, -0.5"),
        ({}, Series(MONDAY, np.r_[np.ones(20), np.inf]), "series 1 has a target of inf"),
        ({"cardinality": (2,)}, Series(MONDAY, np.ones(20), (2,)), r"series 1 is in group 2 of category 0"),
        ({"cardinality": (2,)}, Series(MONDAY, np.ones(20)), "series 1 has 0 categories, not 1"),
        ({"num_dynamic_feat": 1}, Series(MONDAY, np.ones(20)), "series 1 has 0 dynamic features, not 1"),
        ({"num_dynamic_feat": 1}, Series(MONDAY, np.ones(20), (), np.ones((1, 19), np.float32)),
         "series 1 has dynamic features of 19 steps, and 20 are needed"),
        ({"num_dynamic_feat": 1}, Series(MONDAY, np.ones(20), (), np.full((1, 20), np.nan, np.float32)),
         "series 1 has dynamic features that are not finite"),
    ],
)  # fmt: skip
def test_what_does_not_fit_names_the_series(change: Any, series: Series, message: str) -> None:
    good = Series(MONDAY, np.ones(20), (0,), np.ones((1, 20), np.float32))
    with pytest.raises(errors.DataError, match=message):
        fit([good, series], dataclasses.replace(TINY, **change))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("context_length", 0), ("prediction_length", 0), ("epochs", 0), ("dropout_rate", 1.0), ("learning_rate", 0.0),
        ("learning_rate", float("nan")), ("num_layers", 21), ("early_stopping_patience", 0), ("cardinality", (0,)),
        ("likelihood", "poisson"), ("time_freq", "fortnight"), ("seed", -1),
    ],
)  # fmt: skip
def test_hyper_parameters_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(errors.InvalidParameterValue, match=str(value) if name == "time_freq" else name):
        fit(weekly(1, 30), dataclasses.replace(TINY, **{name: value}))


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, restframe.ml.deepar; sys.exit(any(m in sys.modules for m in ('torch', 'numba', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
