"""Figures for notebooks: what was, what is forecast, and what came.

    import restframe.plot

    figure = restframe.plot.forecast(answer, history=rides)                 # what an endpoint answered
    figure = restframe.plot.forecast(warehouse.sql("SELECT FORECAST(demand)"), history=sales)
    figure.write_html("forecast.html")

They are plotly's: `pip install 'restframe[plot]'`. Nothing heavy is imported before the first figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from restframe import errors

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go
    import pyarrow as pa

    from restframe.result import Result

    History: TypeAlias = pandas.Series | pandas.DataFrame | Mapping[str, pandas.Series] | pa.Table | Result | None

__all__ = ["forecast"]


def forecast(
    predicted: Any,
    history: History = None,
    *,
    actuals: History = None,
    frequency: str | None = None,
    label: str = "value",
    title: str | None = None,
    several: Literal["dropdown", "grid"] = "dropdown",
    history_steps: int | None = None,
    samples: bool = False,
    range_slider: bool = False,
) -> go.Figure:
    """A figure of forecasts: history, a fan of nested intervals between quantiles, the median, and actuals if known.

    predicted : either what a DeepAR endpoint answers, as a mapping or JSON text: a whole response, a list of
        predictions, or one of them. Or the rows of `SELECT FORECAST(model)`, with columns `id` (optional), `time`, and
        `p10`, `p50`, `mean` and the like: a Result, an Arrow table, a data frame, a list of mappings.
    history : for an endpoint's answer necessary, and what was sent: the forecast begins one step behind its end. One
        series indexed by time; or several, in the order of the predictions: a mapping, or the columns of a frame
        indexed by time. For rows, series of the same ids; or rows too (a frame, an Arrow table, a Result), with one
        column of times, one of ids and one of numbers.
    actuals : in the forms of `history`; what lies at the times of the forecast is drawn. For rows, what `history` has
        there is taken otherwise.
    frequency : of an endpoint's answer, as `2h`, `15min`, `D`, `MS`; by default that of the history's times
    label : what is counted, and its unit: `rides per 2 hours`
    several : what to do with several series: one at a time with a menu, or all beside each other
    history_steps : how much history to show; by default twice as many steps as are forecast
    samples : draw the sampled paths too, where the answer has them (up to 50)
    range_slider : a slider below the figure of a single series

    An interval says how likely each step by itself ends in it, not that whole paths stay inside.
    InvalidParameterValue for what cannot be read as forecasts. NotSupportedError without plotly or pandas.
    """
    if several not in ("dropdown", "grid"):
        raise errors.InvalidParameterValue('several is "dropdown" or "grid"')
    try:
        from restframe.plot import figure, reading
    except ModuleNotFoundError as error:
        raise errors.NotSupportedError(
            f"figures need {(error.name or 'plotly').partition('.')[0]}: pip install 'restframe[plot]'"
        ) from error
    pictures = reading.pictures(predicted, history, actuals, frequency, history_steps)
    look = figure.Look(label=label, title=title, samples=samples, range_slider=range_slider)
    return figure.grid(pictures, look) if several == "grid" else figure.menu(pictures, look)
