"""Forecasts of a DeepAR model: against the same network in torch, reproducible, and refused where they must be."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest

from restframe import errors
from restframe.ml.deepar import Asked, Configuration, Model, fit
from restframe.ml.deepar.packing import pack_whole
from restframe.ml.forecasting.series import Series

MONDAY = np.datetime64("2024-01-01", "s")
CONFIGURATION = Configuration(
    context_length=10, prediction_length=6, epochs=1, time_freq="D", mini_batch_size=16, num_cells=8, num_layers=2,
    cardinality=(3, 1), num_dynamic_feat=1,
)  # fmt: skip


def some_series(count: int, steps: int = 60, seed: int = 0) -> tuple[Series, ...]:
    rng = np.random.default_rng(seed)
    return tuple(
        Series(
            MONDAY, rng.poisson(20.0, steps).astype(float), (i % 3, 0), rng.random((1, steps + 6), np.float32), f"s{i}"
        )
        for i in range(count)
    )


@cache
def model_of(**changes: Any) -> Model:
    return fit(some_series(5), dataclasses.replace(CONFIGURATION, **changes))


@pytest.mark.parametrize("layers", [1, 3])
def test_a_forecast_is_what_the_trained_network_says(layers: int) -> None:
    import torch

    from restframe.ml.deepar.network import Network
    from restframe.ml.deepar.windows import Windows

    model = model_of(likelihood="deterministic-L1", num_layers=layers)
    (series,) = some_series(1, seed=4)
    path = model.sample([Asked((series,), samples=3)])[0][0, 0]
    # torch is given the forecast as if it had been observed, and must say the same of every step of it
    whole = dataclasses.replace(series, target=np.concatenate([series.target, path]))
    packed = pack_whole([whole], model.configuration, model.statistics)
    # the scale knows the mean of what was observed before the forecast alone
    packed.size[0] = np.abs(series.target).mean()
    batch = Windows(packed, model.configuration, model.statistics).batch(np.array([0]), np.array([60]))
    network = Network(dataclasses.replace(model.configuration, dropout_rate=0.0), torch.Generator())
    named = dict(network.named_parameters()) | {f"embedding.{i}": table for i, table in network.embeddings.items()}
    for name, array in model.weights.items():
        ours = {"skip.weight": "skip"}.get(name, name)
        for kind in ("weight_ih", "weight_hh", "bias"):
            torch_kind = "bias_ih" if kind == "bias" else kind
            if name.startswith("lstm") and name.endswith(kind):
                ours = f"layers.{name.split('.')[1]}.{torch_kind}_l0"
        named[ours].data.copy_(torch.from_numpy(array))
    with torch.no_grad():
        said = network(batch.inputs, batch.categories, half=False)[-6:, 0, 0] * batch.scale
    np.testing.assert_allclose(said.numpy(), path, rtol=2e-5)


@pytest.mark.parametrize("likelihood", ["student-T", "negative-binomial"])
def test_the_same_question_with_a_seed_has_the_same_answer_whatever_is_asked_beside_it(likelihood: Any) -> None:
    model, (a, b, c) = model_of(likelihood=likelihood), some_series(3)
    question = Asked((a, b), samples=7, seed=5)
    alone = model.sample([question])[0]
    beside = model.sample([Asked((c,), samples=3), question, Asked((c,), samples=50, seed=9), question])
    np.testing.assert_array_equal(beside[1], alone)
    np.testing.assert_array_equal(beside[3], alone)
    assert [one.shape for one in beside] == [(1, 3, 6), (2, 7, 6), (1, 50, 6), (2, 7, 6)]
    assert (model.sample([dataclasses.replace(question, seed=6)])[0] != alone).any()


def test_without_a_seed_every_answer_is_another() -> None:
    question = Asked(some_series(1), samples=5)
    first, second = model_of().sample([question, question])
    assert (first != second).all()


@pytest.mark.parametrize(("limit", "most"), [("_ROWS_AT_ONCE", 12), ("_NUMBERS_AT_ONCE", 2500)])
def test_many_series_are_forecast_lot_by_lot(monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    model, series = model_of(), some_series(5)
    monkeypatch.setattr(f"restframe.ml.deepar.sampling.{limit}", most)
    samples = model.sample([Asked(series, samples=5, seed=0)])[0]
    assert samples.shape == (5, 5, 6)
    first_lot = model.sample([Asked(series[:2], samples=5, seed=0)])[0]
    np.testing.assert_array_equal(samples[:2], first_lot)


def test_several_threads_get_the_same_answers() -> None:
    model, question = model_of(), Asked(some_series(2), samples=10, seed=1)
    expected = model.sample([question])[0]
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: model.sample([question])[0], range(12)):
            np.testing.assert_array_equal(answer, expected)


def test_only_what_the_network_can_reach_matters() -> None:
    model, (series,) = model_of(), some_series(1, steps=2000)
    changed = series.target.copy()
    changed[: 2000 - 10 - 1093] *= 7  # before context and farthest lag
    question = Asked((series,), samples=5, seed=1)
    other = Asked((dataclasses.replace(series, target=changed),), samples=5, seed=1)
    np.testing.assert_array_equal(*model.sample([question, other]))


def test_series_of_other_units_have_forecasts_in_them() -> None:
    model, (series,) = model_of(), some_series(1)
    thousand = dataclasses.replace(series, target=series.target * 1000)
    small, large = model.sample([Asked((one,), samples=200, seed=1) for one in (series, thousand)])
    assert 300 < np.median(large) / np.median(small) < 3000


def test_series_that_say_nothing_have_forecasts() -> None:
    (series,) = some_series(1)
    for target in (np.zeros(60), np.full(60, np.nan), np.r_[np.full(59, np.nan), 20.0]):
        samples = model_of().sample([Asked((dataclasses.replace(series, target=target),))])[0]
        assert np.isfinite(samples).all()
    empty = dataclasses.replace(series, target=np.empty(0), features=np.zeros((1, 6), np.float32))
    assert np.isfinite(model_of().sample([Asked((empty,))])[0]).all()
    assert model_of().sample([Asked(())])[0].shape == (0, 100, 6)
    assert model_of().sample([]) == []


def test_paths_stay_within_ten_times_what_was_seen() -> None:
    model = model_of()
    wild = {name: array * 50 for name, array in model.weights.items()}
    series = some_series(2)
    samples = dataclasses.replace(model, weights=wild).sample([Asked(series, seed=0)])[0]
    greatest = max(one.target.max() for one in series)
    assert np.abs(samples).max() <= 10.001 * greatest
    assert np.isfinite(samples).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"categories": (3, 0)}, r'series 1 \("s1"\) is in group 3 of category 0, not within 0..2'),
        ({"categories": ()}, "has 0 categories, not 2"),
        ({"features": np.zeros((1, 60), np.float32)}, "has dynamic features of 60 steps, and 66 are needed"),
        ({"target": np.full(60, -np.inf)}, "has a target of -inf"),
    ],
)
def test_series_that_do_not_fit_the_model_are_refused(change: Any, message: str) -> None:
    good, other = some_series(2)
    with pytest.raises(errors.DataError, match=message):
        model_of().sample([Asked((good, dataclasses.replace(other, **change)))])


@pytest.mark.parametrize("asked", [Asked(some_series(1), samples=0), Asked(some_series(1), seed=-1)])
def test_numbers_that_make_no_sense_are_refused(asked: Asked) -> None:
    with pytest.raises(errors.InvalidParameterValue):
        model_of().sample([asked])
