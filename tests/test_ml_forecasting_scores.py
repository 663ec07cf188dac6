"""Scores as SageMaker's DeepAR and GluonTS give them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.ml.algorithm import Channel
from restframe.ml.forecasting.naive import seasonal_naive
from restframe.ml.forecasting.reading import read
from restframe.ml.forecasting.scores import QUANTILES, Scores, quantile_indices, score

DATA = Path(__file__).parents[2] / "shared" / "data" / "forecast"


def made(samples: int) -> tuple[list[np.ndarray[Any, Any]], list[np.ndarray[Any, Any]]]:
    """Three series of seven steps by a fixed rule."""
    paths = np.arange(3 * samples * 7).reshape(3, samples, 7) * 7919 % 1000 / 10 + np.arange(7) * 3
    truths = np.arange(21).reshape(3, 7) * 104729 % 1000 / 10
    truths[1, 2] = truths[2, 6] = 12.5
    return list(paths), list(truths)


def test_a_quantile_is_a_sample_that_was_drawn() -> None:
    assert quantile_indices(100, QUANTILES) == [10, 20, 30, 40, 50, 59, 69, 79, 89]
    assert quantile_indices(50, QUANTILES) == [5, 10, 15, 20, 24, 29, 34, 39, 44]
    assert quantile_indices(1, QUANTILES) == [0] * 9
    assert quantile_indices(100, [0.0, 0.024999999999999967, 0.9750000000000001, 1.0]) == [0, 2, 97, 99]


# gluonts 0.17.0, Evaluator, of the same samples
@pytest.mark.parametrize(
    ("samples", "rmse", "absolute", "wql"),
    [
        (
            100, 34.3329860130375, 460.9822222222222,
            [0.24593977606261552, 0.41656701815414726, 0.5670398956408306, 0.6668550929448854, 0.6979019458636808,
             0.6567670398956409, 0.5739102076312643, 0.43496032177410576, 0.25015762582889445],
        ),
        (
            50, 34.33992019570836, 462.35999999999996,
            [0.25231003369931515, 0.4306120230459833, 0.581737145341885, 0.6661158821611045, 0.6880095662572019,
             0.6570279378193282, 0.5619523861289272, 0.43256875747363843, 0.2532449179258614],
        ),
    ],
)  # fmt: skip
def test_scores_are_those_of_gluonts(samples: int, rmse: float, absolute: float, wql: list[float]) -> None:
    found = score(*made(samples))
    assert found.rmse == pytest.approx(rmse, rel=1e-9)
    assert found.mean_absolute_ql == pytest.approx(absolute, rel=1e-9)
    assert list(found.wql) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert list(found.wql.values()) == pytest.approx(wql, rel=1e-9)
    assert found.mean_wql == pytest.approx(sum(wql) / 9, rel=1e-9)


def test_a_log_of_sagemaker_keeps_the_same_arithmetic() -> None:
    """Of one training log: the means of the nine losses, and the sum of |target| that they are divided by."""
    wql = [
        0.1182360300392704, 0.17303626475216888, 0.2071058195981005, 0.22762100887763245, 0.2345252371830079,
        0.22847165117470955, 0.21101329664204896, 0.17793740775509562, 0.12071595086214726,
    ]  # fmt: skip
    paths, truths = made(100)
    found = score(paths, truths)
    assert sum(wql) / 9 == pytest.approx(0.18874029632046463)
    assert found.mean_absolute_ql / found.mean_wql == pytest.approx(np.abs(truths).sum())
    assert 20719.508656930924 / (sum(wql) / 9) == pytest.approx(109777.875)


def test_a_sure_forecast_one_too_low_costs_the_quantile_and_one_too_high_the_rest() -> None:
    found = score([np.array([[9.0, 11.0]])], [np.array([10.0, 10.0])], [0.1, 0.75])
    assert found.wql == {0.1: pytest.approx(2 * (0.1 + 0.9) / 20), 0.75: pytest.approx(2 * (0.75 + 0.25) / 20)}
    assert score([np.array([[9.0]])], [np.array([10.0])], [0.75]).wql == {0.75: pytest.approx(2 * 0.75 / 10)}
    assert found.rmse == 1.0


def test_what_was_not_observed_does_not_count() -> None:
    paths, truths = made(50)
    truths[0][3] = math.nan
    truths[2][:] = math.nan
    seen = [np.delete(truths[0], 3), truths[1]]
    assert score(paths, truths) == score([np.delete(paths[0], 3, axis=1), paths[1]], seen)


def test_nothing_observed_gives_no_score() -> None:
    found = score([np.zeros((3, 2))], [np.full(2, math.nan)], [0.5])
    assert all(math.isnan(one) for one in (found.rmse, found.mean_wql, found.mean_absolute_ql, found.wql[0.5]))


def test_where_all_that_came_is_zero_the_loss_has_no_measure() -> None:
    assert score([np.zeros((3, 2))], [np.zeros(2)], [0.5]) == Scores(0.0, 0.0, 0.0, {0.5: 0.0})
    assert score([np.ones((3, 2))], [np.zeros(2)], [0.5]) == Scores(1.0, math.inf, 2.0, {0.5: math.inf})


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=5),
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
    st.floats(1e-3, 1e3),
)
def test_scores_go_with_the_unit_and_not_with_the_order(
    paths: list[list[float]], truth: list[float], unit: float
) -> None:
    drawn, y = np.array(paths), np.array(truth)
    found, scaled = score([drawn], [y]), score([drawn[::-1] * unit], [y * unit])
    assert scaled.rmse == pytest.approx(found.rmse * unit, rel=1e-6, abs=1e-6)
    assert scaled.mean_absolute_ql == pytest.approx(found.mean_absolute_ql * unit, rel=1e-6, abs=1e-6)
    assert all(loss >= 0 for loss in found.wql.values())
    assert score([y[np.newaxis]], [y]).rmse == 0


@pytest.mark.skipif(not DATA.exists(), reason="public series are not part of the repository")
@pytest.mark.parametrize(
    ("name", "steps", "season", "rmse", "wql"),
    [("m4_hourly", 48, 24, 1901.146, 0.0483), ("green_taxi_2020", 84, 84, 1.77, 0.1365),
     ("nyc_taxi_30min", 48, 336, 3814.4, 0.1546), ("exchange_rate", 30, 1, 0.0113, 0.0093)],
)  # fmt: skip
def test_the_published_seasonal_naive(name: str, steps: int, season: int, rmse: float, wql: float) -> None:
    """RMSE and mean weighted quantile loss of GluonTS's tables for M4, and ours for the others."""
    content = (DATA / name / "test.json.gz").read_bytes()
    series = read("test", Channel([("test.json.gz", content)]))
    cut = [dataclasses.replace(one, target=one.target[:-steps]) for one in series]
    paths = [seasonal_naive(one.target, steps, season)[np.newaxis] for one in cut]
    found = score(paths, [one.target[-steps:] for one in series])
    assert found.rmse == pytest.approx(rmse, rel=5e-3)
    assert found.mean_wql == pytest.approx(wql, rel=5e-3)
