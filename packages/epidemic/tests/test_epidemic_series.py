"""Cleansing of reported series: what each rule does with a planted error."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from restframe_epidemic.pipeline.series import RULES, Cleansed, cleanse

Floats = NDArray[np.float64]


def cleansed(daily: Floats, *, holidays: tuple[int, ...] = ()) -> Cleansed:
    cumulative = np.cumsum(np.asarray(daily, dtype=float))
    holiday = np.zeros(len(cumulative), dtype=bool)
    holiday[list(holidays)] = True
    return cleanse(cumulative[None], holiday)


def changes(result: Cleansed) -> list[tuple[int, str, float]]:
    return [(change.day, change.rule, round(change.amount, 6)) for change in result.changes]


def test_regular_reports_stay_as_they_are() -> None:
    daily = np.tile([12.0, 10, 11, 14, 13, 6, 5], 8)
    result = cleansed(daily)
    assert (result.daily[0] == daily).all()
    assert changes(result) == []
    assert not result.moved.any()


def test_a_place_of_zeros_stays_zeros() -> None:
    result = cleansed(np.zeros(60), holidays=(30,))
    assert (result.daily == 0).all()
    assert changes(result) == []


def test_a_correction_first_leaves_the_spike_that_it_corrects() -> None:
    daily = np.full(40, 70.0)
    daily[30], daily[32] = 505, -289
    result = cleansed(daily)
    # the day of the correction has the median; 289 + 70 leave the 505
    assert result.daily[0, 28:34].tolist() == [70, 70, 146, 70, 70, 70]
    assert changes(result) == [(32, "correction", -289)]
    assert np.flatnonzero(result.moved).tolist() == [30, 32]


def test_a_correction_without_a_spike_scales_the_past() -> None:
    daily = np.full(40, 50.0)
    daily[30] = -700
    result = cleansed(daily)
    assert result.daily[0, :30] == pytest.approx(np.full(30, 25.0))
    assert result.daily[0, 30:].tolist() == [50.0] * 10


def test_a_count_that_falls_to_nothing_leaves_nothing() -> None:
    result = cleanse(np.array([[0.0, 3, 5, 0, 0]]), np.zeros(5, dtype=bool))
    assert result.daily.tolist() == [[0, 0, 0, 0, 0]]


def test_reports_after_days_of_silence_are_shared_among_them() -> None:
    daily = np.full(40, 20.0)
    daily[30:33], daily[33] = 0, 100
    result = cleansed(daily)
    assert result.daily[0, 28:36].tolist() == [20, 20, 25, 25, 25, 25, 20, 20]
    assert changes(result) == [(33, "gap", 75)]


def test_zeros_that_may_well_be_zeros_stay() -> None:
    daily = np.tile([0.0, 0, 1, 0, 3, 0, 0], 6)
    assert (cleansed(daily).daily[0] == daily).all()


def test_a_weekly_reporter_becomes_daily() -> None:
    daily = np.tile([0.0, 0, 0, 0, 0, 0, 70], 8)
    result = cleansed(daily)
    assert result.daily[0, 14:].tolist() == [10.0] * 42


def test_what_a_weekly_reporter_will_report_is_not_taken_for_nothing() -> None:
    weekly = np.tile([0.0, 0, 70, 0, 0, 0, 0], 8)  # on Wednesdays, and it is Sunday
    result = cleansed(weekly)
    assert result.daily[0, 14:].tolist() == [10.0] * 42
    assert changes(result)[-4:] == [(day, "silent", 10) for day in range(52, 56)]
    assert result.moved[0, 52:].all()
    few = cleansed(weekly / 10)  # 7 a week: four days of none may well be none, but six were none before
    assert few.daily[0, 50:].tolist() == [1.0] * 6


def test_a_wave_that_is_reported_weekly_is_no_dump() -> None:
    weeks = np.array([0.0, 0, 0, 0, 0, 0, 2, 7, 0, 7, 21, 70, 266])
    daily = np.concatenate([[0, 0, week, 0, 0, 0, 0] for week in weeks])
    result = cleansed(daily)
    assert {rule for _, rule, _ in changes(result)} == {"gap", "silent"}
    assert result.daily[0, -25:].tolist() == 7 * [3.0] + 7 * [10.0] + 11 * [38.0]


def test_a_weekend_without_reports_is_not_taken_for_nothing() -> None:
    weekly = np.tile([24.0, 8, 8, 8, 8, 0, 0], 8)
    result = cleansed(weekly)
    assert result.daily[0, 14:].tolist() == [8.0] * 42
    assert cleansed(weekly / 8).daily[0, -2:].tolist() == [0, 0]  # and Monday has the weekend's, in the same week


def test_more_than_a_week_without_reports_is_taken_for_nothing() -> None:
    daily = np.full(60, 20.0)
    daily[-8:] = 0
    assert cleansed(daily).daily[0, -9:].tolist() == [20.0] + [0] * 8
    assert cleansed(daily[:-1]).daily[0, -9:].tolist() == [20.0] * 9
    every_ten_days = np.tile([100.0] + 9 * [0.0], 8)  # known to report that seldom
    assert cleansed(every_ten_days).daily[0, -9:].tolist() == [10.0] * 9


def test_a_dip_is_made_up_for_only_when_it_falls_on_a_holiday() -> None:
    daily = np.full(40, 20.0)
    daily[30:33] = [5, 12, 43]
    assert (cleansed(daily).daily[0] == daily).all()
    result = cleansed(daily, holidays=(30,))
    assert result.daily[0, 29:34].tolist() == [20, 20, 20, 20, 20]
    assert changes(result) == [(32, "holiday", 23)]


def test_a_bulk_dump_goes_to_the_days_before_in_proportion() -> None:
    daily = np.tile([30.0, 20, 10, 20, 20, 20, 20], 6)
    daily[35] = 30 + 200
    result = cleansed(daily)
    # 210 over the level of 20; the 14 days before had 280, so each grows by 210 / 280
    assert result.daily[0, 35] == 20
    assert result.daily[0, 21:35] == pytest.approx(daily[21:35] * 1.75)
    assert (result.daily[0, :21] == daily[:21]).all()
    assert changes(result) == [(35, "dump", 210)]
    assert np.flatnonzero(result.moved).tolist() == list(range(21, 36))


def test_growth_is_no_dump() -> None:
    daily = np.concatenate([np.full(30, 5.0), np.full(14, 80.0)])
    assert (cleansed(daily).daily[0] == daily).all()


def test_missing_days_are_interpolated() -> None:
    cumulative = np.array([[0.0, 10, np.nan, np.nan, 40, 50]])
    result = cleanse(cumulative, np.zeros(6, dtype=bool))
    assert result.daily.tolist() == [[0, 10, 10, 10, 10, 10]]
    assert changes(result) == [(2, "missing", 10), (3, "missing", 10)]


def test_a_negative_count_is_missing() -> None:
    result = cleanse(np.array([[0.0, 10, -4, 30]]), np.zeros(4, dtype=bool))
    assert result.daily.tolist() == [[0, 10, 10, 10]]
    assert changes(result) == [(2, "negative", -4)]


def test_days_before_the_first_count_are_unknown() -> None:
    cumulative = np.array([[np.nan, np.nan, 1000.0, 1010, 1030]])
    result = cleanse(cumulative, np.zeros(5, dtype=bool))
    assert np.isnan(result.daily[0, :2]).all()
    assert result.daily[0, 2:].tolist() == [15, 10, 20]
    assert result.before.tolist() == [985]
    assert changes(result) == [(2, "opening", 985)]


def test_days_that_have_not_come_are_like_the_last_week() -> None:
    cumulative = np.concatenate([np.cumsum(np.full(10, 6.0)), np.full(15, np.nan)])
    result = cleanse(cumulative[None], np.zeros(25, dtype=bool))
    assert result.daily[0, 10:23].tolist() == [6.0] * 13
    assert np.isnan(result.daily[0, 23:]).all()


def test_a_place_that_never_reported_is_unknown() -> None:
    result = cleanse(np.full((1, 5), np.nan), np.zeros(5, dtype=bool))
    assert np.isnan(result.daily).all()


def noisy(places: int = 200, days: int = 120) -> tuple[Floats, NDArray[np.bool_]]:
    """Counts with everything wrong at once."""
    rng = np.random.default_rng(5)
    daily = rng.poisson(rng.gamma(0.5, 40, (places, 1)), (places, days)).astype(float)
    daily *= rng.random(daily.shape) > 0.1
    dumps = rng.random(daily.shape) < 0.01
    daily[dumps] *= 30
    cumulative = np.cumsum(daily, axis=1)
    corrections = np.cumsum((rng.random(daily.shape) < 0.02) * rng.gamma(0.5, 30, daily.shape).round(), axis=1)
    cumulative -= np.minimum(corrections, cumulative)
    cumulative[rng.random(daily.shape) < 0.05] = np.nan
    return cumulative, np.arange(days) % 30 == 7


def test_nothing_is_made_or_lost() -> None:
    cumulative, holiday = noisy()
    cumulative[:, -1] = np.nan_to_num(cumulative[:, -1], nan=500.0)
    result = cleanse(cumulative, holiday)
    assert np.nanmin(result.daily) >= 0
    reported = np.where(result.rule == RULES.index("silent"), 0, result.daily)  # the others stand for reports to come
    assert np.nansum(reported, axis=1) + result.before == pytest.approx(cumulative[:, -1], rel=1e-12)
    rules = {change.rule for change in result.changes}
    assert rules == {"missing", "opening", "correction", "gap", "holiday", "dump", "silent"}


def test_a_place_depends_on_itself_alone() -> None:
    cumulative, holiday = noisy()
    whole = cleanse(cumulative, holiday)
    alone = cleanse(cumulative[7:8], holiday)
    assert np.array_equal(alone.daily[0], whole.daily[7], equal_nan=True)


def test_counts_are_not_changed_in_place() -> None:
    cumulative, holiday = noisy()
    copy = cumulative.copy()
    cleanse(cumulative, holiday)
    assert np.array_equal(cumulative, copy, equal_nan=True)


def test_as_many_holidays_as_days() -> None:
    with pytest.raises(ValueError, match="5 days of counts"):
        cleanse(np.zeros((1, 5)), np.zeros(4, dtype=bool))
