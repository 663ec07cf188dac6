"""What DeepAR's container makes of its channels: time series that are checked, and the categories and features used."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.ml.algorithm import Channel
from restframe.ml.containers.deepar_hyperparameters import Cardinality
from restframe.ml.containers.deepar_log import Story

if TYPE_CHECKING:
    from restframe.ml.forecasting.series import Series

_LEAST_OBSERVATIONS = 300
_MOST_SAMPLED = 500_000_000  # of four bytes each
_MOST_STEPS = 10_000_000  # each has some tens of inputs, and the network's cells
# as DeepAR's manual calls them
_CONTENT_TYPES = {"json": "application/json", "parquet": "application/x-parquet", "auto": None}


def read_channel(name: str, channel: Channel) -> tuple[list[Series], str]:
    """The series of a channel, alike in categories and features, and its first file as the container names it.

    DataError when there are none, and for each that is not right.
    """
    from restframe.ml.forecasting.reading import read

    files: list[str] = []
    content_type = _CONTENT_TYPES.get(channel.content_type or "", channel.content_type)
    series = read(name, Channel(_noting(channel.objects, files), content_type))
    first = next((file for file in files if not file.startswith((".", "_"))), files[0])
    return series, f"/opt/ml/input/data/{name}/{first[:100]}"


def _noting(objects: Iterable[tuple[str, bytes]], files: list[str]) -> Iterator[tuple[str, bytes]]:
    for name, content in objects:
        files.append(name.rpartition("/")[2])
        yield name, content


def check_size(parameters: Mapping[str, Any]) -> None:
    """InvalidParameterValue when one batch would hold more steps than a machine has memory for."""
    steps = parameters["mini_batch_size"] * (parameters["context_length"] + parameters["prediction_length"])
    if steps > _MOST_STEPS:
        raise errors.InvalidParameterValue(
            f"mini_batch_size times context_length and prediction_length is {steps} steps in a batch, more than "
            f"{_MOST_STEPS}, which would not fit into memory"
        )


def settle_categories(given: Cardinality, series: Sequence[Series], file: str, story: Story) -> tuple[int, ...]:
    """The number of groups of each category that is used; DataError when the data has others."""
    widths = [len(one.categories) for one in series]
    if given == "ignore":
        return ()
    if given == "auto":
        story.field_use("cardinality=auto", "cat", widths[0] > 0, file)
        columns = zip(*(one.categories for one in series), strict=True)
        return tuple(max(column) + 1 for column in columns) if widths[0] else ()
    assert isinstance(given, tuple)
    check_categories("train", series, given)
    return given


def check_categories(channel: str, series: Sequence[Series], cardinality: tuple[int, ...]) -> None:
    """DataError unless every series is in one group of each category."""
    for number, one in enumerate(series, 1):
        where = f'time series {number} of the channel "{channel}"'
        if len(one.categories) != len(cardinality):
            raise errors.DataError(
                f"{where} has {len(one.categories)} values in `cat`, but the cardinality {list(cardinality)} "
                f"is of {len(cardinality)}"
            )
        for value, count in zip(one.categories, cardinality, strict=True):
            if not 0 <= value < count:
                raise errors.DataError(f"{where} has {value} in `cat`, which is not between 0 and {count - 1}")


def settle_features(given: str | int, series: Sequence[Series], file: str, story: Story) -> int:
    """The number of features that are used; DataError when the data has another."""
    found = len(series[0].features)
    if given == "ignore":
        return 0
    if given == "auto":
        story.field_use("num_dynamic_feat=auto", "dynamic_feat", found > 0, file)
        return found
    assert isinstance(given, int)
    check_features("train", series, given)
    return given


def check_features(channel: str, series: Sequence[Series], count: int) -> None:
    """DataError unless every series has so many features."""
    for number, one in enumerate(series, 1):
        if len(one.features) != count:
            raise errors.DataError(
                f'time series {number} of the channel "{channel}" has {len(one.features)} features in `dynamic_feat`, '
                f"but num_dynamic_feat is {count}"
            )


def using(series: Sequence[Series], categories: bool, features: bool) -> list[Series]:
    """The same series without what is not used."""
    import numpy as np

    nothing = np.empty((0, 0), np.float32)
    return [
        dataclasses.replace(
            one, categories=one.categories if categories else (), features=one.features if features else nothing
        )
        for one in series
    ]


def check_values(channel: str, series: Sequence[Series], likelihood: str) -> None:
    """DataError for observations that a likelihood cannot have."""
    import numpy as np

    low, high = {"negative-binomial": (0.0, np.inf), "beta": (0.0, 1.0)}.get(likelihood, (-np.inf, np.inf))
    for number, one in enumerate(series, 1):
        wrong = (one.target < low) | (one.target > high)
        if wrong.any():
            place = int(wrong.argmax())
            limits = "are not negative" if np.isinf(high) else "are between 0 and 1"
            raise errors.DataError(
                f"the likelihood {likelihood} is of values that {limits}, but time series {number} of the channel "
                f'"{channel}" has {one.target[place]:g} at position {place} of `target`'
            )


def check_observed(channel: str, series: Sequence[Series]) -> None:
    """DataError when there is nothing observed at all."""
    import numpy as np

    if all(np.isnan(one.target).all() for one in series):
        raise errors.DataError(f'the channel "{channel}" has no observations: all values of `target` are missing')


def trainable(series: Sequence[Series], prediction_length: int) -> list[Series]:
    """The series that have something to learn from: more than `prediction_length` steps, and something observed.

    DataError when there is none, or too little in all.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html
    """
    import numpy as np

    check_observed("train", series)
    found = [one for one in series if len(one) > prediction_length and not np.isnan(one.target).all()]
    if not found:
        raise errors.DataError(
            f'prediction_length is {prediction_length}, but no time series of the channel "train" is longer',
            hint=f"The longest has {max(map(len, series))} values.",
        )
    observations = sum(int((~np.isnan(one.target)).sum()) for one in found)
    if observations < _LEAST_OBSERVATIONS:
        raise errors.DataError(
            f'the channel "train" has {observations} observations in time series longer than prediction_length, '
            f"but DeepAR wants at least {_LEAST_OBSERVATIONS}"
        )
    return found


def scorable(series: Sequence[Series], prediction_length: int, samples: int) -> list[Series]:
    """The test series that have a history before their last `prediction_length` values.

    DataError when none has; InvalidParameterValue when so many samples of all would not fit into memory.
    """
    found = [one for one in series if len(one) > prediction_length]
    if not found:
        raise errors.DataError(
            f'prediction_length is {prediction_length}, but no time series of the channel "test" is longer',
            hint="A time series is scored on its last prediction_length values, from those before them.",
        )
    numbers = len(found) * samples * prediction_length
    if numbers > _MOST_SAMPLED:
        raise errors.InvalidParameterValue(
            f"num_eval_samples times prediction_length of all test series is {numbers} values, more than "
            f"{_MOST_SAMPLED}, which would not fit into memory"
        )
    return found
