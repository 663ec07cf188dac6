"""DeepAR as a candidate: hyper-parameters chosen from the data, and an end to its training."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from restframe import errors
from restframe.ml.forecasting.series import Series
from restframe.ml.portfolio.candidates import NO_TIME, Forecaster, Skipped, Task, of_paths
from restframe.ml.portfolio.objectives import Forecast

if TYPE_CHECKING:
    from restframe.ml.deepar import Configuration, EpochReport, Model

# As SageMaker's container wants it.
_LEAST_OBSERVATIONS = 300
_BATCHES = 1000  # of training in all: of M4 hourly, twice as good as 500
_LEAST_EPOCHS, _MOST_EPOCHS = 10, 100
_BATCH_SIZE = 64
_PATIENCE = 15
_LARGEST_COUNT = 1_000.0  # on average; larger counts are as good as real numbers
_MOST_CONTEXT = 200  # the end of SageMaker's range for tuning
_SAMPLES = 100
_AT_ONCE = 64  # series that are asked about together
_LEAST_S = 5.0


class DeepAR:
    """A network over all series, which learns for so many seconds at most each time."""

    name = "DeepAR"

    def __init__(self, epochs: int | None = None, progress: Callable[[float], None] = lambda part: None) -> None:
        """epochs : None takes a number from the data. progress : hears which part of them is done."""
        self._epochs = epochs
        self._progress = progress

    def learn(self, series: Sequence[Series], task: Task) -> Forecaster:
        from restframe.ml.deepar import fit

        if importlib.util.find_spec("torch") is None:
            raise Skipped("torch is not installed, which pip install 'restframe[forecast]' brings")
        usable = [one for one in series if _is_usable(one, task)]
        observed = sum(int((~np.isnan(one.target)).sum()) for one in usable)
        if observed < _LEAST_OBSERVATIONS:
            raise Skipped(f"it needs {_LEAST_OBSERVATIONS} observations to learn from, and there are {observed}")
        seconds = task.remaining_s()
        if seconds < _LEAST_S:
            raise Skipped(NO_TIME)
        configuration = _configuration(series, usable, task, self._epochs)
        watch = _Watch(time.monotonic() + seconds, configuration.epochs, self._progress)
        try:
            model = fit(usable, configuration, watch)
        except errors.Error as error:
            raise Skipped(error.message) from error
        if not watch.learned:
            raise Skipped(NO_TIME)

        def forecast(asked: Sequence[Series]) -> list[Forecast]:
            deadline = time.monotonic() + task.remaining_s()
            found: list[Forecast] = []
            for at in range(0, len(asked), _AT_ONCE):
                if time.monotonic() > deadline:
                    raise Skipped(NO_TIME)
                found += _sampled(model, asked[at : at + _AT_ONCE], task)
            return found

        return forecast


def _is_usable(one: Series, task: Task) -> bool:
    return len(one) > task.steps and bool((~np.isnan(one.target)).any())


def _configuration(series: Sequence[Series], usable: Sequence[Series], task: Task, epochs: int | None) -> Configuration:
    """Context of a horizon and at least a season, if the series have it; epochs until a number of batches is done."""
    from restframe.ml.deepar import Configuration

    longest = max(len(one) for one in usable)
    context = min(max(task.steps, task.frequency.season), max(longest - task.steps, 1), _MOST_CONTEXT)
    batches = max(len(usable), 10 * _BATCH_SIZE) / _BATCH_SIZE
    wanted = min(max(math.ceil(_BATCHES / batches), _LEAST_EPOCHS), _MOST_EPOCHS)
    return Configuration(
        context_length=context,
        prediction_length=task.steps,
        epochs=epochs or wanted,
        time_freq=str(task.frequency),
        cardinality=tuple(max(groups) + 1 for groups in zip(*(one.categories for one in series), strict=True)),
        early_stopping_patience=_PATIENCE,
        likelihood="negative-binomial" if task.counts and _mean(usable) <= _LARGEST_COUNT else "student-T",
        mini_batch_size=_BATCH_SIZE,
    )


def _mean(series: Sequence[Series]) -> float:
    return float(np.mean([np.nanmean(one.target) for one in series]))


def _sampled(model: Model, series: Sequence[Series], task: Task) -> list[Forecast]:
    from restframe.ml.deepar import Asked

    try:
        paths = model.sample([Asked(tuple(series), samples=_SAMPLES, seed=0)])[0]
    except errors.Error as error:
        raise Skipped(error.message) from error
    drawn = (one.astype(np.float64) for one in paths)
    return [of_paths(one, of.target, task) for one, of in zip(drawn, series, strict=True)]


class _Watch:
    """Ends training when the time is over."""

    def __init__(self, deadline: float, epochs: int, progress: Callable[[float], None]) -> None:
        self._deadline = deadline
        self._epochs = epochs
        self._progress = progress
        self.learned = False

    def batch(self, epoch: int, batch: int, loss: float, examples: int) -> None:
        """Only epochs are told of."""

    def epoch(self, report: EpochReport) -> None:
        self.learned = True
        self._progress((report.epoch + 1) / self._epochs)

    def stopping(self) -> bool:
        return time.monotonic() > self._deadline
