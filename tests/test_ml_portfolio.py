"""The portfolio of MODEL_TYPE FORECAST: objectives by their definitions, candidates, and the choice between them."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as pq
import pytest

from restframe import errors
from restframe.ml import registry
from restframe.ml.algorithm import Channel, Trained
from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series
from restframe.ml.hyperparameters import check
from restframe.ml.portfolio.candidates import Ets, Forecaster, SeasonalNaive, Skipped, Task, best_season
from restframe.ml.portfolio.choosing import choose
from restframe.ml.portfolio.deepar import DeepAR
from restframe.ml.portfolio.objectives import Forecast, Trial, error
from restframe.ml.training_log import TrainingLog
from restframe.sql.statements.model_options import FORECAST_OBJECTIVES

DAY = Frequency.parse("D")
START = np.datetime64("2024-01-01T00:00:00")


def series(*values: float, item: str | None = None, categories: tuple[int, ...] = ()) -> Series:
    return Series(START, np.array(values, np.float64), categories=categories, item=item)


def weekly(weeks: int, noise: float = 0.0, seed: int = 0) -> list[float]:
    """Days that repeat a week: 10, 20 ... 70."""
    drawn = np.random.default_rng(seed).normal(0, noise or 1e-9, 7 * weeks)
    return [10.0 * (day % 7 + 1) + float(drawn[day]) for day in range(7 * weeks)]


def task(steps: int = 7, levels: Sequence[float] = (0.1, 0.5, 0.9), counts: bool = False) -> Task:
    return Task(steps, DAY, tuple(levels), tuple(levels), counts)


# Objectives


TRIALS = [
    Trial(np.array([1.0, 2.0, 4.0]), np.array([10.0, np.nan])),
    Trial(np.array([5.0, 5.0, 7.0]), np.array([0.0, -20.0])),
]
FORECASTS = [
    Forecast(np.array([[7.0, 7.0], [8.0, 8.0], [12.0, 12.0]]), np.array([9.0, 9.0])),
    Forecast(np.array([[-1.0, -25.0], [1.0, -15.0], [3.0, -10.0]]), np.array([2.0, -16.0])),
]


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        # at 0.1: 0.1 * (3 + 1 + 5); at 0.5: 0.5 * (2 + 1 + 5); at 0.9: 0.1 * (2 + 3 + 10); twice, of 30, mean of three
        ("AverageWeightedQuantileLoss", 2 * (0.9 + 4.0 + 1.5) / 30 / 3),
        ("RMSE", math.sqrt((1 + 4 + 16) / 3)),
        ("WAPE", (2 + 1 + 5) / 30),
        ("MAPE", (2 / 10 + 5 / 20) / 2),  # nothing can be said of the zero
        ("MASE", (2 / 1.5 + 3 / 1) / 2),  # a step ago: 1 and 2 on average 1.5; 0 and 2 on average 1
    ],
)
def test_objectives_are_what_their_definitions_say(objective: str, expected: float) -> None:
    levels = (0.1, 0.5, 0.9)
    assert error(objective, TRIALS, FORECASTS, levels, levels, season=1) == pytest.approx(expected, rel=1e-12)


def test_the_quantile_loss_is_of_the_percentiles_that_were_asked_for() -> None:
    asked = error("AverageWeightedQuantileLoss", TRIALS, FORECASTS, (0.1, 0.5, 0.9), (0.1, 0.9), season=1)
    assert asked == pytest.approx(2 * (0.9 + 1.5) / 30 / 2, rel=1e-12)


def test_an_objective_that_is_not_defined_is_nan() -> None:
    nothing = [Trial(np.array([3.0, 3.0]), np.array([0.0]))]
    right = [Forecast(np.array([[0.0]]), np.array([0.0]))]
    assert math.isnan(error("MAPE", nothing, right, (0.5,), (0.5,), season=1))
    assert math.isnan(error("MASE", nothing, right, (0.5,), (0.5,), season=1))
    assert math.isnan(error("WAPE", nothing, right, (0.5,), (0.5,), season=1))


# Candidates


def test_the_seasonal_naive_forecast_repeats_the_season_and_is_less_sure_of_the_second() -> None:
    one = series(*weekly(4, noise=3.0))
    (found,) = SeasonalNaive().learn([one], task(steps=14))([one])
    assert found.mean.tolist() == [*one.target[-7:], *one.target[-7:]]
    widths = found.quantiles[2] - found.quantiles[0]
    assert np.allclose(widths[:7], widths[0]) and widths[7] / widths[0] == pytest.approx(math.sqrt(2))


def test_the_season_that_repeats_itself_best_is_taken() -> None:
    hourly = Frequency.parse("H")
    hours = np.arange(24 * 7 * 4)
    by_day, by_week = (
        np.sin(hours * 2 * np.pi / 24),
        np.where(hours // 24 % 7 >= 5, 0.0, np.sin(hours * 2 * np.pi / 24)),
    )
    assert best_season(by_day + np.random.default_rng(0).normal(0, 0.01, len(hours)), hourly) in (24, 168)
    assert best_season(by_week, hourly) == 168
    assert best_season(by_week[: 24 * 3], hourly) == 24  # not two weeks
    assert best_season(by_week[:20], hourly) == 1


def test_what_was_never_negative_is_not_forecast_to_be() -> None:
    rare = series(*[0, 0, 3, 0, 1, 0, 0] * 6)
    below = series(*[-1, 0, 3, 0, 1, 0, 0] * 6)
    for candidate in (SeasonalNaive(), Ets()):
        learnt = candidate.learn([rare, below], task(steps=20))
        first, second = learnt([rare, below])
        assert first.quantiles.min() >= 0 and first.mean.min() >= 0
        assert second.quantiles.min() < 0


def test_deepar_is_skipped_for_few_observations_and_for_want_of_time() -> None:
    short = [series(*weekly(5))]
    with pytest.raises(Skipped, match="needs 300 observations to learn from, and there are 35"):
        DeepAR().learn(short, task())
    with pytest.raises(Skipped, match="MAX_RUNTIME leaves it no time"):
        DeepAR().learn([series(*weekly(60))], dataclasses.replace(task(), remaining_s=lambda: 1.0))


def test_without_torch_deepar_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Skipped, match="torch is not installed"):
        DeepAR().learn([series(*weekly(60))], task())


# The choice


class Constant:
    """Always says the same."""

    def __init__(self, name: str, value: float) -> None:
        self.name = name
        self._value = value

    def learn(self, series: Sequence[Series], task: Task) -> Forecaster:
        shape = (len(task.levels), task.steps)
        return lambda asked: [Forecast(np.full(shape, self._value), np.full(task.steps, self._value)) for _ in asked]


class Never:
    name = "DeepAR"

    def learn(self, series: Sequence[Series], task: Task) -> Forecaster:
        raise Skipped("it does not want to")


def test_the_least_error_wins_and_forecasts_everything() -> None:
    all_series = [series(*[5.0] * 30, item="a"), series(*[5.0] * 9, item="b")]
    told: list[str] = []
    chosen = choose(
        all_series, task(steps=3), "RMSE", [Constant("far", 9), Constant("near", 6), Constant("DeepAR", 8)], told.append
    )
    assert chosen.winner == "near"
    assert [(one.name, one.error) for one in chosen.tried] == [("far", 4.0), ("near", 1.0), ("DeepAR", 3.0)]
    assert [one.mean.tolist() for one in chosen.forecasts] == [[6.0] * 3] * 2
    assert chosen.windows == 3
    assert chosen.remarks == (
        "DeepAR did not beat the simpler methods on these data: its RMSE on the hold-out is 3, that of near 1.",
    )
    assert told[1] == "near: RMSE 1 on the hold-out"


def test_a_skipped_candidate_is_told_of_with_its_reason() -> None:
    chosen = choose([series(*[5.0] * 7)], task(steps=2), "RMSE", [SeasonalNaive(), Never()], lambda _: None)
    assert chosen.winner == "seasonal naive" and chosen.windows == 1 and chosen.remarks == ()
    assert chosen.tried[1].skipped == "skipped: it does not want to"


def test_every_cut_is_forecast_from_what_was_known_then() -> None:
    asked_lengths: list[int] = []

    class Watching(Constant):
        def learn(self, series: Sequence[Series], task: Task) -> Forecaster:
            inner = super().learn(series, task)
            learnt.append(max(len(one) for one in series))

            def forecast(asked: Sequence[Series]) -> list[Forecast]:
                asked_lengths.extend(len(one) for one in asked)
                return inner(asked)

            return forecast

    learnt: list[int] = []
    choose([series(*weekly(5))], task(steps=5), "RMSE", [Watching("DeepAR", 1.0)], lambda _: None)
    assert learnt == [20, 35]  # before the first of three ends, and at last everything
    assert asked_lengths == [20, 25, 30, 35]


def test_nothing_to_hold_out_is_refused() -> None:
    with pytest.raises(errors.DataError, match="no series has values both in its last 2 steps and before"):
        choose([series(1.0, 2.0)], task(steps=2), "RMSE", [SeasonalNaive()], lambda _: None)


# The training job


def trained(lines: Sequence[dict[str, object]], **given: str) -> tuple[Trained, list[str]]:
    algorithm = registry.find("forecast")
    told: list[str] = []
    parameters = check(algorithm.hyperparameters, {"prediction_length": "7", "time_freq": "D", **given})
    content = "\n".join(json.dumps(one) for one in lines).encode()
    log = TrainingLog(told.append, algorithm.label)
    return algorithm.train(parameters, {"train": Channel([("train.json", content)])}, log), told


@pytest.mark.parametrize("objective", FORECAST_OBJECTIVES)
def test_a_job_leaves_rows_and_what_it_found(objective: str) -> None:
    lines = [{"start": "2024-01-01", "target": weekly(6, 1.0, seed), "item_id": name} for seed, name in enumerate("ab")]
    lines[0]["target"][3] = "NaN"  # type: ignore[index]
    job, _ = trained(lines, objective=objective, quantiles='["0.05", "0.95"]')
    report = json.loads(job.files["forecast.json"])
    assert [one["name"] for one in report["candidates"]] == ["seasonal naive", "ETS", "DeepAR"]
    assert report["candidates"][2]["skipped"].startswith("skipped: it needs 300 observations")
    rows = pq.read_table(io.BytesIO(job.files["forecast.parquet"])).to_pydict()
    assert rows["item_id"] == ["a"] * 7 + ["b"] * 7
    assert str(rows["time"][0]) == "2024-02-12 00:00:00"
    assert list(rows) == ["item_id", "time", "0.05", "0.95", "mean"]
    assert rows["mean"] == pytest.approx([10, 20, 30, 40, 50, 60, 70] * 2, abs=3)
    assert all(low < high for low, high in zip(rows["0.05"], rows["0.95"], strict=True))
    assert set(job.metrics) == {"validation:seasonal_naive", "validation:ETS"}


def test_deepar_takes_part_when_there_is_enough_to_learn_from() -> None:
    counts = np.random.default_rng(0).poisson(5, (3, 140))
    lines = [{"start": "2024-01-01", "target": one.tolist(), "item_id": str(place)} for place, one in enumerate(counts)]
    job, told = trained(lines, epochs="1", quantiles='["0.01", "0.5"]')
    report = json.loads(job.files["forecast.json"])
    assert report["candidates"][2]["skipped"] is None and report["candidates"][2]["error"] > 0
    assert any("3 series, 420 steps, counts" in line for line in told)
    assert min(pq.read_table(io.BytesIO(job.files["forecast.parquet"]))["0.01"].to_pylist()) >= 0


def test_a_forecast_cannot_be_served() -> None:
    with pytest.raises(errors.NotSupportedError, match="a forecast cannot be served"):
        registry.find("forecast").load({"forecast.json": b"{}"})
