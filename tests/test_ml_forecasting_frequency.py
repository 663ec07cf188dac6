"""Frequencies: how they are written, when their steps are, what they repeat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.ml.forecasting.frequency import Frequency


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("H", "H"), ("h", "H"), ("1H", "H"), ("2H", "2H"), ("15min", "15min"), ("T", "min"), ("30T", "30min"),
        ("D", "D"), ("B", "B"), ("W", "W"), ("M", "M"), ("MS", "M"), ("3ME", "3M"), (" 2W ", "2W"),
    ],
)  # fmt: skip
def test_what_is_written_is_sagemakers_spelling(text: str, written: str) -> None:
    assert str(Frequency.parse(text)) == written


@pytest.mark.parametrize("text", ["", "m", "0D", "-1H", "1.5H", "H2", "5 min", "Q", "٣H", "9999999min", "9" * 10_000])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(errors.InvalidParameterValue) as raised:
        Frequency.parse(text)
    assert str(raised.value.message) == f'"{text[:100]}" is not a frequency'


@pytest.mark.parametrize(
    ("text", "season"),
    [
        ("min", 1440), ("15min", 96), ("7min", 1440), ("60min", 24), ("H", 24), ("2H", 12), ("24H", 7), ("D", 7),
        ("7D", 52), ("30D", 1), ("B", 5), ("5B", 52), ("W", 52), ("2W", 26), ("M", 12), ("3M", 4), ("12M", 1),
    ],
)  # fmt: skip
def test_the_season_is_the_shortest_usual_cycle_of_whole_steps(text: str, season: int) -> None:
    assert Frequency.parse(text).season == season


def around(*middles: int, distance: int = 1) -> list[int]:
    return [middle + step for middle in middles for step in range(-distance, distance + 1)]


# GluonTS 0.17.0, get_lags_for_frequency
@pytest.mark.parametrize(
    ("text", "lags"),
    [
        ("min", around(60, 120, 180, distance=2)),
        ("5min", around(12, 24, 36, distance=2) + around(288, 576, 864, 1152)),
        ("15min", [*range(8, 15), *around(96, 192, 288, 384, 480, 576, 672)]),
        ("30min", [8, *around(48, 96, 144, 192, 240, 288, 336, 672, 1008)]),
        ("90min", [*around(16, 32, 48, 64, 80, 96, 112, 224, 336, 448, 480), 896]),
        ("H", around(24, 48, 72, 96, 120, 144, 168, 336, 504, 672, 720)),
        ("2H", [*around(12, 24, 36, 48, 60, 72, 84, 168, 252, 336, 360), 672, 1008]),
        ("D", [8, *around(14, 21, 28), 30, 31, 56, 84, *around(364, 728, 1092)]),
        ("2D", [8, 9, 10, 11, *around(14), 16, 28, 42, *around(182, 364, 546)]),
        ("B", [9, 10, 11, 14, 15, 16, *range(19, 24), 39, 59, *around(259, 519, 779)]),
        ("W", [8, 12, *around(52, 104, 156)]),
        ("2W", around(26, 52, 78)),
        ("M", around(12, 24, 36)),
        ("3M", [8, 9, 11, 12, 13]),
        ("12M", []),
    ],
)
def test_lags_are_those_of_the_published_table(text: str, lags: list[int]) -> None:
    assert Frequency.parse(text).lags == (*range(1, 8), *lags)


@pytest.mark.parametrize(
    ("text", "start", "first", "times"),
    [
        ("15min", "2020-02-28 23:45", 0, ["2020-02-28T23:45:00", "2020-02-29T00:00:00", "2020-02-29T00:15:00"]),
        ("2H", "2020-03-29 00:00", 84, ["2020-04-05T00:00:00", "2020-04-05T02:00:00", "2020-04-05T04:00:00"]),
        ("W", "2019-12-26", -1, ["2019-12-19T00:00:00", "2019-12-26T00:00:00", "2020-01-02T00:00:00"]),
        ("M", "2019-12-01", 0, ["2019-12-01T00:00:00", "2020-01-01T00:00:00", "2020-02-01T00:00:00"]),
        ("M", "2020-01-30 06:00", 0, ["2020-01-30T06:00:00", "2020-02-29T06:00:00", "2020-03-30T06:00:00"]),
        ("M", "2020-02-29", 0, ["2020-02-29T00:00:00", "2020-03-31T00:00:00", "2020-04-30T00:00:00"]),
        ("3M", "2019-11-30", 0, ["2019-11-30T00:00:00", "2020-02-29T00:00:00", "2020-05-31T00:00:00"]),
        ("B", "2020-01-02", 0, ["2020-01-02T00:00:00", "2020-01-03T00:00:00", "2020-01-06T00:00:00"]),
        ("B", "2020-01-04 12:00", 0, ["2020-01-06T12:00:00", "2020-01-07T12:00:00", "2020-01-08T12:00:00"]),
        ("2B", "2020-01-03", -1, ["2020-01-01T00:00:00", "2020-01-03T00:00:00", "2020-01-07T00:00:00"]),
    ],
)
def test_times_of_steps(text: str, start: str, first: int, times: list[str]) -> None:
    found = Frequency.parse(text).times(np.datetime64(start), 3, first)
    assert found.dtype == "datetime64[s]"
    assert found.astype(str).tolist() == times


@given(
    st.integers(1, 40),
    st.sampled_from(["M", "W", "D", "B", "H", "min"]),
    st.integers(-(10**9), 2 * 10**9),
    st.integers(-50, 50),
)
def test_times_ascend_and_know_their_steps(multiple: int, unit: str, start: int, first: int) -> None:
    frequency = Frequency.parse(f"{multiple}{unit}")
    time = np.datetime64(start, "s")
    times = frequency.times(time, 30, first)
    assert (np.diff(times) > np.timedelta64(0)).all()
    if unit == "B":
        time = frequency.times(time, 1)[0]
    assert frequency.steps(time, times).tolist() == list(range(first, first + 30))


def test_a_time_between_two_steps_belongs_to_the_earlier() -> None:
    times = np.array(["2020-01-01T00:14:59", "2020-01-01T00:15:00", "2019-12-31T23:59:59"], "datetime64[s]")
    assert Frequency.parse("15min").steps(np.datetime64("2020-01-01"), times).tolist() == [0, 1, -1]


def test_features_lie_between_minus_and_plus_a_half() -> None:
    times = np.array(["2018-12-31T00:00:00", "2020-12-31T23:59:00", "2021-01-03T12:30:00"], "datetime64[s]")
    minute, hour, weekday, day_of_month, day_of_year = Frequency.parse("min").features(times).T
    assert minute == pytest.approx([-0.5, 0.5, 30 / 59 - 0.5])
    assert hour == pytest.approx([-0.5, 0.5, 12 / 23 - 0.5])
    assert weekday == pytest.approx([-0.5, 0, 0.5])
    assert day_of_month == pytest.approx([0.5, 0.5, 2 / 30 - 0.5])
    assert day_of_year == pytest.approx([364 / 365 - 0.5, 0.5, 2 / 365 - 0.5])
    # by ISO 8601 the first of these days is in the first week of 2019, the others in the 53rd of 2020
    assert Frequency.parse("W").features(times)[:, 1] == pytest.approx([-0.5, 0.5, 0.5])
    assert Frequency.parse("M").features(times).tolist() == [[0.5], [0.5], [-0.5]]


@pytest.mark.parametrize(("text", "count"), [("min", 5), ("H", 4), ("D", 3), ("B", 3), ("W", 2), ("M", 1)])
def test_each_unit_has_its_own_features(text: str, count: int) -> None:
    frequency = Frequency.parse(text)
    features = frequency.features(frequency.times(np.datetime64("1750-01-01"), 1000))
    assert features.shape == (1000, count) == (1000, frequency.feature_count)
    assert features.dtype == np.float32
    assert np.abs(features).max() <= 0.5
