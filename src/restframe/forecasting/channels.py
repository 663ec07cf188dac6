"""Channels of a query: the objects that a DeepAR job reads, and requests made of the same series."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from restframe import errors
from restframe.forecasting import lines
from restframe.forecasting.columns import find_roles
from restframe.forecasting.grid import Aggregate, Grid, Gridded, gridded
from restframe.forecasting.lines import written_time
from restframe.forecasting.sources import source
from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series
from restframe.storage.urls import ObjectUrl

if TYPE_CHECKING:
    import pandas

_TRAIN, _TEST = "train/train.json.gz", "test/test.json.gz"
_ABOUT, _SERIES = "channels.json", "series.json.gz"
Moment: TypeAlias = "str | datetime.datetime | np.datetime64"
_AGGREGATES = ("sum", "mean", "min", "max", "count", None)


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """The channels of a query, and its series.

    train, test : prefixes to hand to a training job; `test` is None when nothing was held back
    frequency : as SageMaker's time_freq
    categories : the texts of each category, in the order of the numbers that `cat` has for them
    features : the columns that `dynamic_feat` has, in their order
    left_out : items without any value
    series : by item
    """

    train: str
    test: str | None
    frequency: str
    prediction_length: int
    windows: int
    categories: Mapping[str, tuple[str, ...]]
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    series: Mapping[str, Series]

    @property
    def items(self) -> tuple[str, ...]:
        """Their names in order; an empty text for the only one of a query without items."""
        return tuple(self.series)

    @property
    def hyperparameters(self) -> dict[str, str]:
        """Those of DeepAR that the data decides, and as much context as is forecast; `epochs` is still to be said."""
        length = str(self.prediction_length)
        return {"time_freq": self.frequency, "prediction_length": length, "context_length": length}

    def request(
        self,
        *items: str,
        until: Moment | None = None,
        quantiles: Sequence[str] = ("0.1", "0.5", "0.9"),
        num_samples: int = 100,
        output_types: Sequence[str] = ("mean", "quantiles"),
    ) -> dict[str, Any]:
        """The request that asks an endpoint for forecasts of items, by default of all, in their order.

        until : when the forecast begins; what was observed before is sent. By default everything is
        UndefinedObject for an unknown item; InvalidParameterValue when `until` is no step of the item.
        """
        chosen = [self._find(name) for name in items] or list(self.series.values())
        configuration = {
            "num_samples": num_samples,
            "output_types": list(output_types),
            "quantiles": list(map(str, quantiles)),
        }
        return {"instances": [self._instance(one, until) for one in chosen], "configuration": configuration}

    def history(self, item: str | None = None, *, until: Moment | None = None) -> pandas.Series:
        """What `request` sends of an item, indexed by time, for figures; needs pandas. Without `until`, everything."""
        import pandas

        series = self._find(item)
        values = series.target[: self._length(series, until)]
        times = Frequency.parse(self.frequency).times(series.start, len(values))
        return pandas.Series(values, pandas.DatetimeIndex(times), name=series.item)

    def _find(self, item: str | None) -> Series:
        if item is None and len(self.series) == 1:
            return next(iter(self.series.values()))
        if item is None or str(item) not in self.series:
            few = ", ".join(f'"{name}"' for name in self.items[:5])
            raise errors.UndefinedObject(f'there is no item "{str(item)[:100]}"; there are {few[:300]} ...')
        return self.series[str(item)]

    def _length(self, series: Series, until: Moment | None) -> int:
        """How many observations there are before `until`."""
        if until is None:
            return len(series)
        frequency = Frequency.parse(self.frequency)
        try:
            time = np.datetime64(str(until), "s")
        except ValueError as error:
            raise errors.InvalidParameterValue(f'until is no time: "{str(until)[:100]}"') from error
        length = int(frequency.steps(series.start, np.array([time]))[0])
        first, after = frequency.times(series.start, 2, first=length)
        if time != first or not 0 < length <= len(series):
            end = frequency.times(series.start, 1, first=len(series))[0]
            near = f"; the steps near it begin at {first} and {after}" if time != first else ""
            raise errors.InvalidParameterValue(
                f"until must be a step of {self.frequency} behind {series.start}, at most {end}, and is {time}{near}"
            )
        return length

    def _instance(self, series: Series, until: Moment | None) -> dict[str, Any]:
        length = self._length(series, until)
        known = length + self.prediction_length
        if self.features and series.features.shape[1] < known:
            times = Frequency.parse(self.frequency).times(series.start, 1, first=series.features.shape[1])
            raise errors.InvalidParameterValue(
                f"features must be known for all {self.prediction_length} steps of a forecast, and end before "
                f"{times[0]}; ask with an earlier until, or select rows of the future with features and no value"
            )
        instance: dict[str, Any] = {
            "start": written_time(series.start),
            "target": [None if math.isnan(value) else value for value in series.target[:length].tolist()],
        }
        if self.categories:
            instance["cat"] = list(series.categories)
        if self.features:
            instance["dynamic_feat"] = series.features[:, :known].tolist()
        return instance

    def __str__(self) -> str:
        frequency = Frequency.parse(self.frequency)
        sizes = [len(one) for one in self.series.values()]
        first, last = min(one.start for one in self.series.values()), next(iter(self.series.values()))
        end = frequency.times(last.start, 1, first=len(last) - 1)[0]
        missing = sum(int(np.isnan(one.target).sum()) for one in self.series.values())
        held_back = f"the last {self.windows} x {self.prediction_length} steps are" if self.windows else "nothing is"
        return (
            f"{len(sizes)} series of {min(sizes)} to {max(sizes)} steps of {frequency}, "
            f"from {written_time(first)} to {written_time(end)}, "
            f"{100 * missing / sum(sizes):.1f} % of the values missing; {held_back} held back for the test"
        )


def channels(
    warehouse: Any,
    query: str,
    location: str,
    *,
    frequency: str,
    prediction_length: int,
    windows: int = 1,
    parameters: Any = (),
    time: str | None = None,
    value: str | None = None,
    item: str | None = None,
    categories: Sequence[str] = (),
    features: Sequence[str] = (),
    aggregate: Aggregate | None = None,
    fill: float | None = None,
    anchor: str | None = None,
) -> Channels:
    """Bring a query's rows onto a regular grid and write them as the channels of a DeepAR job.

    warehouse : a Warehouse, or a DB-API connection
    location : `s3://bucket/prefix`; objects below it are train/train.json.gz, test/test.json.gz, channels.json and
        series.json.gz, all of them replaced
    windows : how many times the last `prediction_length` steps are held back: the test has each item once for each,
        ending so many steps apart, and the training ends before all of them. 0 trains on everything
    time, value, item : columns; those that are not named are told by their types
    categories : columns of which each item has one value, given to the model as `cat`. May name the item's column
    features : columns of numbers that are known beside the value, given as `dynamic_feat`; their mean in each step.
        Rows behind the last value with features and a null value tell of the future
    aggregate : what several values in one step become: sum, mean, min, max, count. None says that there are none.
        With count the value may be missing: rows are counted then
    fill : what a step without values becomes, 0 for counts; by default it is missing, which DeepAR understands
    anchor : a time at which a step begins. By default weeks begin on Mondays, 2H at even hours, months on the first

    All series end together, at the last step at which any item has a value. A last step that is not over yet should
    be left out by the query.

    UndefinedColumn, InvalidParameterValue and DataError name the column, and the item and time where there are some.
    Nothing is written then.
    """
    _check(prediction_length, windows, aggregate)
    grid = Grid.of(Frequency.parse(frequency), anchor)
    base, of = _base(location), source(warehouse)
    batches = of.batches(query, parameters)
    first = next(batches, None)
    if first is None:
        raise errors.DataError("the query returns no rows")
    roles = find_roles(
        first.schema,
        time=time,
        value=value,
        item=item,
        categories=categories,
        features=features,
        counted=aggregate == "count",
    )
    found = gridded(_chain(first, batches), roles, grid, aggregate, fill)
    made = _made(base, found, str(grid.frequency), prediction_length, windows, roles.features)
    out = lines.written(list(found.series.values()), prediction_length, windows)
    objects = {base.child(_TRAIN): out.train, base.child(_SERIES): out.whole, base.child(_ABOUT): _about(made)}
    if out.test is not None:
        objects[base.child(_TEST)] = out.test
    of.put(objects, None if windows else base.child(_TEST))
    return made


def load(warehouse: Any, location: str) -> Channels:
    """The channels that `channels` wrote at a location, for requests to a model that was trained on them.

    CorruptObject when what lies there was not written by it.
    """
    base, of = _base(location), source(warehouse)
    try:
        about = json.loads(of.get(base.child(_ABOUT)))
        items = list(about["items"])
        series = lines.read(of.get(base.child(_SERIES)), items)
        categories = {name: tuple(texts) for name, texts in about["categories"].items()}
        found = Gridded(series, categories, tuple(about["left_out"]))
        return _made(
            base, found, about["frequency"], about["prediction_length"], about["windows"], tuple(about["features"])
        )
    except (ValueError, KeyError, TypeError, AttributeError, errors.DataError) as error:
        raise errors.CorruptObject(f'"{base}" has no channels written by restframe.forecasting') from error


def _check(prediction_length: int, windows: int, aggregate: str | None) -> None:
    if prediction_length < 1:
        raise errors.InvalidParameterValue("prediction_length must be at least 1")
    if windows < 0:
        raise errors.InvalidParameterValue("windows must not be negative")
    if aggregate not in _AGGREGATES:
        raise errors.InvalidParameterValue('aggregate is "sum", "mean", "min", "max" or "count"')


def _base(location: str) -> ObjectUrl:
    url = ObjectUrl.parse(location)
    return url if not url.key or url.key.endswith("/") else url.child("/")


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _made(
    base: ObjectUrl, found: Gridded, frequency: str, prediction_length: int, windows: int, features: tuple[str, ...]
) -> Channels:
    return Channels(
        str(base.child("train/")),
        str(base.child("test/")) if windows else None,
        frequency,
        prediction_length,
        windows,
        found.categories,
        features,
        found.left_out,
        found.series,
    )


def _about(made: Channels) -> bytes:
    """What `load` needs beside the series, and people may want to read."""
    about = {
        "items": made.items,
        "frequency": made.frequency,
        "prediction_length": made.prediction_length,
        "windows": made.windows,
        "categories": made.categories,
        "features": made.features,
        "left_out": made.left_out,
    }
    return json.dumps(about, ensure_ascii=False, indent=1).encode()
