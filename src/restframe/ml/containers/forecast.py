"""Training of MODEL_TYPE FORECAST: several forecasters are tried on the end of the data, and the best one forecasts.

It is no image of SageMaker's. What it leaves are the forecasts themselves, which SQL reads; they cannot be deployed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from restframe import errors
from restframe.ml.algorithm import Algorithm, Channel, Predictor, Trained
from restframe.ml.hyperparameters import HyperParameter
from restframe.ml.training_log import TrainingLog

if TYPE_CHECKING:
    from restframe.ml.forecasting.series import Series
    from restframe.ml.portfolio.candidates import Task
    from restframe.ml.portfolio.choosing import Chosen
    from restframe.ml.portfolio.objectives import Forecast

REPORT_FILE = "forecast.json"
ROWS_FILE = "forecast.parquet"

_OBJECTIVES = ("AverageWeightedQuantileLoss", "RMSE", "WAPE", "MAPE", "MASE")
_CONTENT_TYPES = ("application/x-parquet", "application/jsonlines", "application/json")

# The part of the time that is left that a candidate may take: on the hold-out, and once more on everything.
_PART_OF_TIME = 0.4
_DEFAULT_LEVELS = [0.1, 0.5, 0.9]  # where nothing but the mean is asked for

_HYPERPARAMETERS = (
    HyperParameter("prediction_length", "integer", required=True, low=1, high=500),
    HyperParameter("time_freq", "text", required=True),
    HyperParameter("objective", "text", _OBJECTIVES[0], choices=_OBJECTIVES),
    HyperParameter("quantiles", "list", '["0.1", "0.5", "0.9"]'),
    HyperParameter("epochs", "integer", low=1, high=1000),
    HyperParameter("max_runtime_s", "integer", "5400", low=1),
)


def train(parameters: Mapping[str, Any], channels: Mapping[str, Channel], log: TrainingLog) -> Trained:
    """Try the candidates, forecast by the best, and leave the rows and what was found of each.

    DataError when the data are not right.
    """
    from restframe.ml.forecasting.reading import read
    from restframe.ml.portfolio.candidates import Ets, SeasonalNaive
    from restframe.ml.portfolio.choosing import choose
    from restframe.ml.portfolio.deepar import DeepAR

    deadline: float = time.monotonic() + parameters["max_runtime_s"]
    series = _observed(read("train", channels["train"]))
    task = _task(parameters, series, lambda: (deadline - time.monotonic()) * _PART_OF_TIME)
    log.info(f"{len(series)} series, {sum(map(len, series))} steps, {'counts' if task.counts else 'real values'}")
    log.progress(5)

    candidates = (SeasonalNaive(), Ets(), DeepAR(parameters["epochs"], _Progress(log)))
    chosen = choose(series, task, parameters["objective"], candidates, log.info)
    asked = parameters["quantiles"]
    files = {REPORT_FILE: _report(chosen), ROWS_FILE: _rows(chosen.forecasts, series, task, asked)}
    log.progress(100)
    errors_found = {f"validation:{one.name.replace(' ', '_')}": one.error for one in chosen.tried}
    metrics = {name: found for name, found in errors_found.items() if found is not None and math.isfinite(found)}
    return Trained(files, metrics)


class _Progress:
    """DeepAR learns twice at most; the log is told when another tenth of that is done."""

    def __init__(self, log: TrainingLog) -> None:
        self._log = log
        self._shown = 5.0

    def __call__(self, part: float) -> None:
        percent = 10 + 80 * part
        if percent - self._shown >= 10:
            self._shown = percent
            self._log.progress(math.floor(percent))


def _observed(series: Sequence[Series]) -> list[Series]:
    """The series that have any value. DataError when there is none.

    They are not told apart as groups of their own: on M4 hourly and on taxi rides that made DeepAR no better.
    """
    import numpy as np

    found = [one for one in series if not np.isnan(one.target).all()]
    if not found:
        raise errors.DataError("the training data have no values")
    return found


def _task(parameters: Mapping[str, Any], series: Sequence[Series], remaining_s: Callable[[], float]) -> Task:
    import numpy as np

    from restframe.ml.forecasting.frequency import Frequency
    from restframe.ml.portfolio.candidates import Task
    from restframe.ml.portfolio.objectives import MEDIAN

    scored = sorted({float(one) for one in parameters["quantiles"]}) or _DEFAULT_LEVELS
    levels = sorted({MEDIAN, *scored})
    if not all(0 < level < 1 for level in levels):
        raise errors.InvalidParameterValue("quantiles must be between 0 and 1")
    values = np.concatenate([one.target[~np.isnan(one.target)] for one in series])
    counts = bool((values >= 0).all() and (values == np.floor(values)).all())
    frequency = Frequency.parse(parameters["time_freq"])
    return Task(parameters["prediction_length"], frequency, tuple(levels), tuple(scored), counts, remaining_s)


def _report(chosen: Chosen) -> bytes:
    tried = [{"name": one.name, "error": _finite(one.error), "skipped": one.skipped} for one in chosen.tried]
    report = {
        "winner": chosen.winner,
        "candidates": tried,
        "windows": chosen.windows,
        "remarks": list(chosen.remarks),
    }
    return json.dumps(report).encode()


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _rows(forecasts: Sequence[Forecast], series: Sequence[Series], task: Task, quantiles: Sequence[str]) -> bytes:
    """A row for each step of each series: item_id, time, a column for each quantile under its text, and mean."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    items = [one.item for one in series for _ in range(task.steps)]
    times = np.concatenate([task.frequency.times(one.start, task.steps, len(one)) for one in series])
    columns = {"item_id": pa.array(items, pa.string()), "time": pa.array(times, pa.timestamp("s"))}
    for text in quantiles:
        place = task.levels.index(float(text))
        columns[text] = pa.array(np.concatenate([one.quantiles[place] for one in forecasts]))
    columns["mean"] = pa.array(np.concatenate([one.mean for one in forecasts]))
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), out, compression="zstd")
    data: bytes = out.getvalue().to_pybytes()
    return data


def load(files: Mapping[str, bytes]) -> Predictor:
    _refuse()


def invoke(predictor: Predictor, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    _refuse()


def _refuse() -> NoReturn:
    raise errors.NotSupportedError(
        "a forecast cannot be served", hint="Read it in SQL, by SELECT FORECAST(model), or deploy a DeepAR model."
    )


FORECAST = Algorithm(
    name="forecast",
    image="restframe-forecast",
    label="Forecast",
    hyperparameters=_HYPERPARAMETERS,
    model_file=REPORT_FILE,
    required_channels=("train",),
    optional_channels=(),
    training_content_types=_CONTENT_TYPES,
    train=train,
    load=load,
    invoke=invoke,
)
