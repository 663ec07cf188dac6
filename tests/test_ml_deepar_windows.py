"""Windows of packed series: every number where it belongs, and evenly drawn."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from restframe.ml.deepar import Configuration
from restframe.ml.deepar.autoregression import autoregression
from restframe.ml.deepar.packing import measure, pack_ends, pack_whole
from restframe.ml.deepar.windows import Windows
from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series

MONDAY = np.datetime64("2024-01-01", "s")
LAGS = Frequency.parse("D").lags
DAILY = Configuration(context_length=4, prediction_length=3, epochs=1, time_freq="D", num_dynamic_feat=1)


def windows_of(series: list[Series], configuration: Configuration = DAILY) -> Windows:
    statistics = measure(series, configuration)
    return Windows(pack_whole(series, configuration, statistics), configuration, statistics)


def a_series(target: list[float], start: np.datetime64 = MONDAY) -> Series:
    values = np.array(target)
    return Series(start, values, (), np.arange(values.size, dtype=np.float32)[None])


def test_a_window_holds_lags_calendar_age_features_and_scale_of_each_step() -> None:
    series = [a_series([100.0 + t for t in range(50)]), a_series([float(t) for t in range(1, 61)])]
    batch = windows_of(series).batch(np.array([1]), np.array([20]))
    # context 16..19, horizon 20..22: the network reads steps 17..22
    assert batch.target[:, 0].tolist() == [18, 19, 20, 21, 22, 23]
    assert batch.observed[:, 0].tolist() == [1] * 6
    size = np.arange(1, 61).mean()
    scale = float(batch.scale[0])
    assert scale == pytest.approx((17 + 18 + 19 + 20 + size) / 5)
    inputs = batch.inputs[:, 0].numpy()
    assert inputs[0, :7] * scale == pytest.approx([17, 16, 15, 14, 13, 12, 11])
    at_14 = LAGS.index(14)
    assert inputs[:, at_14] * scale == pytest.approx([4, 5, 6, 7, 8, 9])
    assert inputs[0, LAGS.index(364)] == 0  # before the series
    times = Frequency.parse("D").features(MONDAY + np.arange(17, 23).astype("timedelta64[D]"))
    assert inputs[:, len(LAGS)] == pytest.approx(times[:, 0])
    age, feature, log_scale = inputs[:, -3:].T
    assert age == pytest.approx(np.log10(np.arange(17, 23) + 2.0))
    features = np.concatenate([np.arange(50.0), np.arange(60.0)])
    assert feature == pytest.approx((np.arange(17, 23) - features.mean()) / features.std(), rel=1e-5)
    logs = np.log([124.5, size])
    assert log_scale == pytest.approx([(np.log(scale) - logs.mean()) / 1.0] * 6, rel=1e-4)


def test_only_calendar_features_that_came_round_twice_are_used() -> None:
    for days, used in ((10, [0, 0, 0]), (40, [1, 0, 0]), (100, [1, 1, 0]), (800, [1, 1, 1])):
        statistics = measure([a_series([1.0] * days)], DAILY)
        assert statistics.calendar_used.tolist() == used


def test_windows_that_begin_before_the_series_read_zeros_that_were_not_observed() -> None:
    batch = windows_of([a_series([5.0, 6.0, 7.0, 8.0])]).batch(np.array([0]), np.array([1]))
    assert batch.target[:, 0].tolist() == [0, 0, 5, 6, 7, 8]
    assert batch.observed[:, 0].tolist() == [0, 0, 1, 1, 1, 1]
    assert float(batch.scale[0]) == pytest.approx((5.0 + 6.5) / 2)


def test_a_gap_holds_the_value_before_it_and_is_not_observed() -> None:
    nan = float("nan")
    batch = windows_of([a_series([nan, 2.0, nan, nan, 5.0, 6.0, nan, 8.0])]).batch(np.array([0]), np.array([5]))
    assert batch.target[:, 0].tolist() == [2, 2, 5, 6, 6, 8]
    assert batch.observed[:, 0].tolist() == [0, 0, 1, 1, 0, 1]
    assert float(batch.scale[0]) == pytest.approx((2 + 5 + 5.25) / 3)


def test_the_end_of_a_series_is_packed_as_the_whole_is() -> None:
    rng = np.random.default_rng(0)
    series = [dataclasses.replace(a_series(list(rng.random(2000))), features=rng.random((1, 2003), np.float32))]
    statistics = measure(series, DAILY)
    whole, end = pack_whole(series, DAILY, statistics), pack_ends(series, DAILY, statistics)
    assert end.values.size == 4 + max(LAGS) + 3
    steps = np.arange(2000 - 4 - max(LAGS), 2000)
    np.testing.assert_array_equal(end.values[end.origin[0] + steps], whole.values[whole.origin[0] + steps])
    np.testing.assert_array_equal(end.features[end.origin[0] + steps], whole.features[whole.origin[0] + steps])
    np.testing.assert_array_equal(
        end.calendar[end.calendar_origin[0] + steps], whole.calendar[whole.calendar_origin[0] + steps]
    )


def test_series_that_begin_together_share_a_calendar() -> None:
    together = [a_series([1.0] * 10), a_series([1.0] * 30)]
    apart = [*together, a_series([1.0] * 10, MONDAY + np.timedelta64(1, "D"))]
    rows = [len(pack_whole(one, DAILY, measure(one, DAILY)).calendar) for one in (together, apart)]
    before = 4 + max(LAGS)
    assert rows == [before + 30, 2 * before + 40]


def test_windows_are_drawn_evenly_and_large_series_more_often() -> None:
    series = [a_series([float(size)] * 43) for size in (1, 1, 1, 1, 6)]
    whose, time = windows_of(series).draw(10_000, np.random.default_rng(0))
    share = np.bincount(whose) / 10_000
    # half of the windows evenly, half by size
    np.testing.assert_allclose(share, [0.15, 0.15, 0.15, 0.15, 0.4], atol=2e-4)
    assert (time.min(), time.max()) == (1, 40)
    np.testing.assert_allclose(np.bincount(time)[1:] / 10_000, 1 / 40, rtol=0.05)


def test_each_series_has_the_same_part_of_every_epoch() -> None:
    windows, rng = windows_of([a_series([1.0 + i] * 43) for i in range(50)]), np.random.default_rng(0)
    counts = [np.bincount(windows.draw(640, rng)[0], minlength=50) for _ in range(20)]
    assert np.ptp(counts, axis=0).max() <= 2


def test_the_autoregression_finds_a_season() -> None:
    rng = np.random.default_rng(0)
    week = rng.random(7)
    series = [a_series(list(np.tile(week, 30) * (1 + i) + 0.01 * rng.standard_normal(210))) for i in range(3)]
    weights, sigma = autoregression(windows_of(series), rng)
    seasonal = [weights[LAGS.index(lag)] for lag in (7, 14, 21, 28)]
    assert weights.size == len(LAGS)
    assert sum(seasonal) > 0.7
    assert sigma < 0.2


def test_of_a_random_walk_the_autoregression_expects_the_last_value() -> None:
    walk = 1.0 + 0.003 * np.random.default_rng(0).standard_normal(800).cumsum()
    weights, sigma = autoregression(windows_of([a_series(list(walk))]), np.random.default_rng(0))
    assert weights[0] > 0.8
    assert weights.sum() == pytest.approx(1.0, abs=0.02)
    assert 0.001 < sigma < 0.02


def test_the_autoregression_looks_at_few_windows_when_they_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = windows_of([a_series([float(t % 7) for t in range(50)])])
    monkeypatch.setattr("restframe.ml.deepar.autoregression._STEPS", 35)
    drawn: list[int] = []
    draw = windows.draw
    monkeypatch.setattr(windows, "draw", lambda count, rng: drawn.append(count) or draw(count, rng))
    autoregression(windows, np.random.default_rng(0))
    assert drawn == [5]  # of a window of four steps and three, the network reads all but the first
