"""What a figure shows of each series, out of what endpoints and queries answer."""

from __future__ import annotations

import datetime
import decimal
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from restframe import errors
from restframe.ml.forecasting.frequency import Frequency

Values = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]
Given: TypeAlias = "pd.Series | pd.DataFrame | Mapping[str, pd.Series] | Any | None"

_QUANTILE = re.compile(r"p(\d{1,2}(?:[._]\d+)?)")
# How many times tell the frequency, so that a change long ago does not matter.
_RECENT = 50
# Of sampled paths alone.
_USUAL_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Values in the order of their times; NaN is a gap.

    times : (n,) datetime64, without time zone
    """

    times: Times
    values: Values

    def __len__(self) -> int:
        return len(self.values)


NOTHING = Line(np.empty(0, "datetime64[ns]"), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One series: what was, what is forecast at `times`, and what came.

    quantiles : by level in ascending order, each (steps,)
    samples : (paths, steps), or no paths
    """

    name: str
    times: Times
    quantiles: Mapping[float, Values]
    mean: Values | None = None
    samples: Values = field(default_factory=lambda: np.empty((0, 0)))
    history: Line = NOTHING
    actuals: Line = NOTHING


def pictures(
    predicted: Any, history: Given, actuals: Given, frequency: str | None, history_steps: int | None
) -> list[Picture]:
    """One for each series that is forecast, in their order; at least one. Arguments as of `restframe.plot.forecast`."""
    if history_steps is not None and history_steps < 0:
        raise errors.InvalidParameterValue("history_steps must not be negative")
    answers = _answers(predicted)
    if answers is None:
        found = list(_of_rows(_frame(predicted), _named(history), _named(actuals)))
    else:
        found = list(_of_answers(answers, _named(history), _named(actuals), frequency))
    if not found:
        raise errors.InvalidParameterValue("there is no forecast to draw")
    return [_cut(one, history_steps) for one in found]


# What an endpoint answers


def _answers(predicted: Any) -> Sequence[Mapping[str, Any]] | None:
    """The predictions of an endpoint's answer; None when it is something else."""
    if isinstance(predicted, str | bytes | bytearray):
        try:
            predicted = json.loads(predicted)
        except ValueError as error:
            raise errors.InvalidParameterValue(f"the forecast is a text that is not JSON: {error}") from error
    if isinstance(predicted, Mapping):
        predicted = predicted.get("predictions", [predicted])
    if not isinstance(predicted, list | tuple) or not predicted:
        return None
    kinds = {"quantiles", "mean", "samples"}
    if all(isinstance(one, Mapping) and any(_is_many(one.get(kind)) for kind in kinds) for one in predicted):
        return predicted
    return None


def _is_many(value: object) -> bool:
    return isinstance(value, list | tuple | Mapping | np.ndarray)


def _of_answers(
    answers: Sequence[Mapping[str, Any]],
    history: Mapping[str, Line],
    actuals: Mapping[str, Line],
    frequency: str | None,
) -> Iterable[Picture]:
    if len(history) != len(answers):
        raise errors.InvalidParameterValue(
            f"there are {len(answers)} predictions and {len(history)} series of history; "
            "each prediction begins where the history that was sent ends"
        )
    truths = _matched(actuals, list(history))
    for answer, (name, past), truth in zip(answers, history.items(), truths, strict=True):
        quantiles, mean, samples = _distribution(answer)
        steps = len(next(iter(quantiles.values()), mean if mean is not None else ()))
        times = _behind(past, steps, frequency)
        yield Picture(name, times, quantiles, mean, samples, past, _at(truth, times))


def _distribution(answer: Mapping[str, Any]) -> tuple[dict[float, Values], Values | None, Values]:
    """Quantiles, mean and samples of one prediction; quantiles of the samples where it has no others."""
    try:
        quantiles = {float(level): np.asarray(of, float) for level, of in (answer.get("quantiles") or {}).items()}
        mean = np.asarray(answer["mean"], float) if "mean" in answer else None
        samples = np.asarray(answer.get("samples") or np.empty((0, 0)), float)
    except (TypeError, ValueError, AttributeError) as error:
        raise errors.InvalidParameterValue(f"this is not an endpoint's prediction: {error}") from error
    if not all(0 < level < 1 for level in quantiles):
        raise errors.InvalidParameterValue("quantiles of a prediction lie between 0 and 1")
    if not quantiles and len(samples):
        quantiles = {level: np.quantile(samples, level, axis=0, method="nearest") for level in _USUAL_QUANTILES}
    lengths = {one.shape for one in (*quantiles.values(), *([] if mean is None else [mean]), *samples)}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise errors.InvalidParameterValue("quantiles, mean and samples of a prediction differ in their lengths")
    return dict(sorted(quantiles.items())), mean, samples


def _behind(past: Line, steps: int, frequency: str | None) -> Times:
    """The times of the steps behind a history's end."""
    if not len(past):
        raise errors.InvalidParameterValue("the history is empty, so nobody knows when the forecast begins")
    every = _told(past.times[-_RECENT:]) if frequency is None else Frequency.parse(frequency)
    if every is None:
        raise errors.InvalidParameterValue('the history\'s times do not tell its frequency: say frequency="2h" or so')
    return every.times(past.times[-1], steps, first=1)


def _told(times: Times) -> Frequency | None:
    """The frequency that gives exactly these times; None when none does, or there are too few to tell."""
    if len(times) < 3:
        return None
    apart = np.diff(times).astype("timedelta64[s]").astype(int)
    months = int((times[1].astype("datetime64[M]") - times[0].astype("datetime64[M]")).astype(int))
    fitting = [Frequency(max(1, int(apart[0]) // 60), "min"), Frequency(max(1, months), "M"), Frequency(1, "B")]
    return next((one for one in fitting if (one.times(times[0], len(times)) == times).all()), None)


# The rows of SELECT FORECAST(model)


def _frame(rows: Any) -> pd.DataFrame:
    if isinstance(rows, pd.DataFrame):
        return rows
    if hasattr(rows, "to_pandas"):
        return rows.to_pandas()
    try:
        return pd.DataFrame(rows if isinstance(rows, Mapping) else list(rows))
    except (TypeError, ValueError) as error:
        raise errors.InvalidParameterValue("this is neither an endpoint's answer nor rows of a forecast") from error


def _of_rows(frame: pd.DataFrame, history: Mapping[str, Line], actuals: Mapping[str, Line]) -> Iterable[Picture]:
    columns = {str(name).lower(): name for name in frame.columns}
    levels = {float(found[1].replace("_", ".")) / 100: name for name in columns if (found := _QUANTILE.fullmatch(name))}
    if "time" not in columns or not (levels or "mean" in columns):
        have = ", ".join(map(str, frame.columns))[:200]
        raise errors.InvalidParameterValue(f"rows of a forecast have time and p10, p50, mean or so; these have: {have}")
    frame = frame.assign(**{columns["time"]: _times(frame[columns["time"]])})
    ids = frame[columns["id"]].astype(str) if "id" in columns else pd.Series("", frame.index)
    parts = list(frame.groupby(ids, sort=False))
    names = [str(name) for name, _ in parts]
    pasts, truths = _matched(history, names), _matched(actuals, names)
    for (name, part), past, truth in zip(parts, pasts, truths, strict=True):
        ordered = part.sort_values(columns["time"])
        times = ordered[columns["time"]].to_numpy()
        quantiles = {level: ordered[columns[of]].to_numpy(float) for level, of in sorted(levels.items())}
        mean = ordered[columns["mean"]].to_numpy(float) if "mean" in columns else None
        before = past.times < times[0]
        came = truth if len(truth) else past
        yield Picture(
            str(name),
            times,
            quantiles,
            mean,
            history=Line(past.times[before], past.values[before]),
            actuals=_at(came, times),
        )


# Series as they are given


def _named(given: Given) -> dict[str, Line]:
    """Lines by name, in the order in which they are given."""
    if given is None:
        return {}
    if isinstance(given, pd.Series):
        return {"" if given.name is None else str(given.name): _line(given)}
    if hasattr(given, "to_pandas"):  # of a Result or an Arrow table
        given = given.to_pandas()
    if isinstance(given, pd.DataFrame) and not isinstance(given.index, pd.DatetimeIndex):
        return _of_long(given)
    if not hasattr(given, "items"):
        raise errors.InvalidParameterValue("history and actuals are series, a mapping of them, or rows")
    return {str(name): _line(series) for name, series in given.items()}


def _of_long(frame: pd.DataFrame) -> dict[str, Line]:
    """Lines of a frame with a row for each value: columns of times, of values, and of names if there are several."""
    kinds: dict[str, list[Any]] = {"times": [], "values": [], "names": []}
    for name, column in frame.items():
        kinds[_kind(column)].append(name)
    if len(kinds["times"]) != 1 or len(kinds["values"]) != 1 or len(kinds["names"]) > 1:
        have = ", ".join(f"{name} {dtype}" for name, dtype in frame.dtypes.items())[:200]
        raise errors.InvalidParameterValue(
            f"history in rows has one column of times, one of numbers, and at most one of names; this has: {have}"
        )
    (time,), (value,) = kinds["times"], kinds["values"]
    names = frame[kinds["names"][0]].astype(str) if kinds["names"] else pd.Series("", frame.index)
    frame = frame.assign(**{time: _times(frame[time])})
    return {
        str(name): _line(part.set_index(time)[value].sort_index()) for name, part in frame.groupby(names, sort=False)
    }


def _kind(column: pd.Series) -> str:
    """DATE and DECIMAL come as Python's objects."""
    present = column.dropna()
    first = present.iloc[0] if column.dtype == object and len(present) else None
    if pd.api.types.is_datetime64_any_dtype(column) or isinstance(first, datetime.date):
        return "times"
    return "values" if pd.api.types.is_numeric_dtype(column) or isinstance(first, decimal.Decimal) else "names"


def _line(series: pd.Series) -> Line:
    if not isinstance(getattr(series, "index", None), pd.DatetimeIndex):
        raise errors.InvalidParameterValue("a series of history or actuals must be indexed by time")
    return Line(_times(series.index.to_series()).to_numpy(), series.to_numpy(float, na_value=np.nan))


def _times(column: pd.Series) -> pd.Series:
    """Times without time zone, of times or of texts such as 2020-11-01T00:00:00Z."""
    try:
        times = pd.to_datetime(column)
    except (TypeError, ValueError) as error:
        raise errors.InvalidParameterValue(f"these are no times: {error}") from error
    return times if times.dt.tz is None else times.dt.tz_localize(None)


def _matched(given: Mapping[str, Line], names: Sequence[str]) -> list[Line]:
    """The line of each name; a single one belongs to a single series, whatever they are called."""
    if len(given) == len(names) == 1:
        return list(given.values())
    return [given.get(name, NOTHING) for name in names]


def _at(line: Line, times: Times) -> Line:
    """What of a line lies at times, or between them."""
    inside = (line.times >= times[0]) & (line.times <= times[-1]) if len(times) else np.zeros(len(line), bool)
    return Line(line.times[inside], line.values[inside])


def _cut(one: Picture, history_steps: int | None) -> Picture:
    keep = 2 * len(one.times) if history_steps is None else history_steps
    first = max(0, len(one.history) - keep)
    shown = Line(one.history.times[first:], one.history.values[first:])
    return Picture(one.name, one.times, one.quantiles, one.mean, one.samples, shown, one.actuals)
