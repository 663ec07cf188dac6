"""Figures of forecasts: what is drawn where, of an endpoint's answer and of rows of SQL."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import restframe
import restframe.plot
from restframe import errors

HISTORY = pd.Series(np.arange(12.0), pd.date_range("2020-03-01", periods=12, freq="2h"), name="north")
ANSWER = {
    "predictions": [
        {
            "mean": [12.5, 13.5, 14.5],
            "quantiles": {"0.9": [14, 15, 16], "0.5": [12, 13, 14], "0.09999999999999998": [10, 11, 12]},
        }
    ]
}


def trace(figure: go.Figure, name: str) -> go.Scatter:
    (found,) = [one for one in figure.data if one.name == name and one.showlegend is not False]
    return found


def moments(values: Any) -> list[str]:
    return [str(value)[:16] for value in pd.DatetimeIndex(values)]


def test_the_forecast_begins_one_step_behind_the_history() -> None:
    figure = restframe.plot.forecast(ANSWER, HISTORY)
    median = trace(figure, "median (p50)")
    assert moments(median.x) == ["2020-03-02 00:00", "2020-03-02 02:00", "2020-03-02 04:00"]
    assert list(median.y) == [12, 13, 14]
    assert moments(trace(figure, "history").x)[-1] == "2020-03-01 22:00"


def test_quantiles_that_belong_together_are_one_interval_however_they_were_spelled() -> None:
    upper = trace(restframe.plot.forecast(ANSWER, HISTORY), "80 % (p10 to p90)")
    assert (upper.fill, list(upper.y)) == ("tonexty", [14, 15, 16])


def test_intervals_are_nested_and_the_narrowest_lies_on_top() -> None:
    levels = {"0.05": [1.0], "0.25": [2.0], "0.5": [3.0], "0.75": [4.0], "0.95": [5.0]}
    figure = restframe.plot.forecast({"quantiles": levels}, HISTORY)
    assert [one.name for one in figure.data if one.fill] == ["90 % (p5 to p95)", "50 % (p25 to p75)"]


def test_one_step_reads_out_the_whole_distribution_from_above() -> None:
    reading = restframe.plot.forecast(ANSWER, HISTORY).data[-1]
    rows = [line.split()[0] for line in reading.hovertemplate.removesuffix("<extra></extra>").split("<br>")]
    assert rows == ["p90", "median", "p10", "mean"]
    assert list(reading.customdata[0]) == [14, 12, 10, 12.5]


def test_title_and_axes_say_what_is_seen() -> None:
    layout = restframe.plot.forecast(ANSWER, HISTORY, label="rides per 2 hours").layout
    assert layout.title.text == "north: forecast"
    assert layout.title.subtitle.text == "quantiles p10 to p90, each of the 3 steps by itself"
    assert layout.yaxis.title.text == "rides per 2 hours"
    assert layout.xaxis.title.text == "time, as in the data (no time zone)"
    assert layout.xaxis.rangeslider.visible is False


def test_actuals_are_drawn_where_the_forecast_is() -> None:
    truth = pd.Series(np.arange(30.0), pd.date_range("2020-03-01", periods=30, freq="2h"))
    assert list(trace(restframe.plot.forecast(ANSWER, HISTORY, actuals=truth), "actual").y) == [12, 13, 14]


def test_history_is_twice_as_long_as_the_forecast_unless_said_otherwise() -> None:
    assert len(trace(restframe.plot.forecast(ANSWER, HISTORY), "history").x) == 6
    assert len(trace(restframe.plot.forecast(ANSWER, HISTORY, history_steps=10), "history").x) == 10


def test_sampled_paths_are_drawn_when_asked_for_and_give_quantiles_where_there_are_none() -> None:
    answer = {"samples": [[float(path + step) for step in range(3)] for path in range(100)]}
    figure = restframe.plot.forecast(answer, HISTORY, samples=True)
    assert len(trace(figure, "50 sampled paths").x) == 50 * 4  # a gap behind each
    assert list(trace(figure, "median (p50)").y) == [50, 51, 52]
    assert "50 sampled paths" not in [one.name for one in restframe.plot.forecast(answer, HISTORY).data]


def test_counts_are_seen_from_zero_and_rates_are_not() -> None:
    assert restframe.plot.forecast(ANSWER, HISTORY).layout.yaxis.rangemode == "tozero"
    rates = {"quantiles": {"0.1": [1.09], "0.5": [1.1], "0.9": [1.11]}}
    history = pd.Series(np.full(12, 1.1), HISTORY.index)
    assert restframe.plot.forecast(rates, history).layout.yaxis.rangemode == "normal"


def test_several_series_have_a_menu_that_shows_one_at_a_time() -> None:
    series = {"north": HISTORY, "south": 10 * HISTORY}
    figure = restframe.plot.forecast({"predictions": ANSWER["predictions"] * 2}, series)
    (menu,) = figure.layout.updatemenus
    assert [button.label for button in menu.buttons] == ["north", "south"]
    shown = [one.visible for one in figure.data]
    visible, layout = menu.buttons[1].args
    assert visible["visible"] == [not one for one in shown]
    assert layout["title.text"] == "south: forecast"


def test_several_series_stand_beside_each_other_when_asked_for() -> None:
    series = pd.DataFrame({"north": HISTORY, "south": 10 * HISTORY})
    figure = restframe.plot.forecast({"predictions": ANSWER["predictions"] * 2}, series, several="grid")
    assert [one.text for one in figure.layout.annotations] == ["north", "south"]
    assert [one.yaxis for one in figure.data if one.name == "history"] == ["y", "y2"]
    assert len([one for one in figure.data if one.name == "history" and one.showlegend]) == 1


def test_rows_of_sql_are_drawn_by_their_ids(tmp_path: Any) -> None:
    with restframe.open(tmp_path / "w") as warehouse:
        rows = warehouse.sql("""
            select 'b' as id, '2020-03-02T00:00:00Z' as time, 7.0::decimal(8, 2) as p10, 8.0 as p50, 9.0 as p90
            union all select 'a', '2020-03-03T00:00:00Z', 2.0, 3.0, 4.0
            union all select 'a', '2020-03-02T00:00:00Z', 1.0, 2.0, 3.0
            order by id desc
        """)
        sales = warehouse.sql("""
            select 'a' as item, date '2020-02-28' + i as day, i::decimal(8, 2) as quantity
            from (select 0 as i union all select 1 union all select 2 union all select 3) days
        """)
        figure = restframe.plot.forecast(rows, history=sales)
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["b", "a"]
    of_a = [one for one in figure.data if not one.visible]
    (median,) = [one for one in of_a if one.name == "median (p50)"]
    assert (moments(median.x), list(median.y)) == (["2020-03-02 00:00", "2020-03-03 00:00"], [2, 3])
    assert [list(one.y) for one in of_a if one.name == "history"] == [[0, 1, 2]]
    assert [list(one.y) for one in of_a if one.name == "actual"] == [[3]]  # what the history has behind its end


def test_a_forecast_may_come_as_json_text_and_without_a_frequency_of_the_history() -> None:
    gaps = HISTORY.drop(HISTORY.index[-3])
    text = json.dumps(ANSWER["predictions"][0])
    figure = restframe.plot.forecast(text, gaps, frequency="2H")
    assert moments(trace(figure, "median (p50)").x)[0] == "2020-03-02 00:00"


@pytest.mark.parametrize(
    ("predicted", "history", "message"),
    [
        (ANSWER, None, "there are 1 predictions and 0 series of history"),
        (ANSWER, HISTORY.drop(HISTORY.index[-3]), 'say frequency="2h"'),
        (ANSWER, HISTORY.iloc[:0], "the history is empty"),
        (ANSWER, HISTORY.reset_index(drop=True), "must be indexed by time"),
        ("{", HISTORY, "a text that is not JSON"),
        ({"quantiles": {"0.1": [1, 2], "0.9": [1]}}, HISTORY, "differ in their lengths"),
        ({"quantiles": {"90": [1]}}, HISTORY, "lie between 0 and 1"),
        ({"quantiles": {"high": [1]}}, HISTORY, "this is not an endpoint's prediction"),
        ({"a": [1]}, None, "rows of a forecast have time and p10, p50, mean or so; these have: a"),
        ([{"id": "a", "time": "no time", "p50": 1}], None, "these are no times"),
        (3, None, "neither an endpoint's answer nor rows"),
        (ANSWER, 3, "history and actuals are series, a mapping of them, or rows"),
        ([{"time": "2020-01-01", "p50": 1}], pd.DataFrame({"a": [1], "b": [2]}), "this has: a int64, b int64"),
    ],
)
def test_what_cannot_be_drawn_is_said(predicted: Any, history: Any, message: str) -> None:
    with pytest.raises(errors.InvalidParameterValue, match=message):
        restframe.plot.forecast(predicted, history)


def test_without_plotly_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['plotly'] = None; import restframe.plot\n"
        "try: restframe.plot.forecast({})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "NotSupportedError figures need plotly: pip install 'restframe[plot]'\n"


def test_importing_the_module_imports_nothing_heavy() -> None:
    code = "import sys, restframe.plot; print({'pandas', 'plotly', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
