"""Training: epochs of windows in batches, Adam, and the averaged weights of the best epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from restframe import errors
from restframe.ml.deepar.autoregression import autoregression
from restframe.ml.deepar.configuration import Configuration, check_configuration
from restframe.ml.deepar.likelihoods import loss as loss_of
from restframe.ml.deepar.model import Floats, Model, check_size
from restframe.ml.deepar.network import Network, half_precision_works
from restframe.ml.deepar.packing import check_series, measure, pack_whole
from restframe.ml.deepar.reports import EpochReport, Observer
from restframe.ml.deepar.windows import Batch, Integers, Windows
from restframe.ml.forecasting.series import Series

_LEAST_BATCHES = 10  # in an epoch of few series
_WARM_UP = 0.05  # of training
_FULL_PRECISION_FROM = 2 / 3  # of training
_LARGEST_GRADIENT = 10.0
_AVERAGED = 8  # about the last eighth of all steps


def fit(series: Sequence[Series], configuration: Configuration, observer: Observer | None = None) -> Model:
    """Train a network.

    series : those of at most prediction_length steps, and those without any observation, are left out
    InvalidParameterValue for a hyper-parameter out of range; DataError for a series that does not fit the
    configuration, and when none is left.

    Salinas, Flunkert, Gasthaus: DeepAR, 2020, sections 3.2 and 3.3. https://arxiv.org/abs/1704.04110
    """
    check_configuration(configuration)
    check_size(configuration)
    check_series(series, configuration, ahead=0)
    usable = [one for one in series if len(one) > configuration.prediction_length and not np.isnan(one.target).all()]
    if not usable:
        raise errors.DataError(
            f"no series has more than {configuration.prediction_length} steps and an observation",
            hint="Give longer series, or lower prediction_length.",
        )
    with _one_thread():
        return _Training(usable, configuration).run(observer)


class _Training:
    """A network that learns, its optimiser and its best weights so far."""

    def __init__(self, series: Sequence[Series], configuration: Configuration) -> None:
        self.configuration = configuration
        self.rng = np.random.Generator(np.random.PCG64(configuration.seed))
        self.network = Network(configuration, torch.Generator().manual_seed(configuration.seed))
        self.trained = self.network.trained()
        self.steps = 0
        self.optimiser = torch.optim.Adam(self.trained, configuration.learning_rate, weight_decay=1e-8, fused=True)
        self.half = half_precision_works()
        self.statistics = measure(series, configuration)
        self.windows = Windows(pack_whole(series, configuration, self.statistics), configuration, self.statistics)
        self.network.start(*autoregression(self.windows, self.rng))
        self.average = [parameter.detach().clone() for parameter in self.trained]
        self.expected = max(len(series), _LEAST_BATCHES * configuration.mini_batch_size)
        self.best = Model(configuration, self.statistics, self.network.weights(), 0, math.inf)

    def run(self, observer: Observer | None) -> Model:
        """All epochs, or fewer when the observer or early_stopping_patience ends it."""
        patience = self.configuration.early_stopping_patience
        for epoch in range(self.configuration.epochs):
            losses, examples, stopping = list[float](), 0, False
            for number, (series, times) in enumerate(self.draws()):
                progress = (epoch + min(1.0, examples / self.expected)) / self.configuration.epochs
                losses.append(self.learn(self.windows.batch(series, times), progress))
                examples += series.size
                if observer is not None:
                    observer.batch(epoch, number, losses[-1], series.size)
                    stopping = observer.stopping()
                    if stopping:
                        break
            if stopping and math.isfinite(self.best.loss):
                break  # some batches of an epoch are not to be compared with whole ones
            loss = float(np.mean(losses))
            best = loss < self.best.loss
            if best:
                self.best = Model(self.configuration, self.statistics, self.averaged(), epoch, loss)
            if observer is not None:
                observer.epoch(EpochReport(epoch, loss, best, examples))
            if stopping or (patience is not None and epoch - self.best.epoch >= patience):
                break
        return self.best

    def draws(self) -> Iterator[tuple[Integers, Integers]]:
        """An epoch's windows, batch by batch: on average one of each series, and at least ten batches.

        Their number is random, as in SageMaker's logs, and so the last batch is partial.
        """
        size = self.configuration.mini_batch_size
        series, times = self.windows.draw(max(1, int(self.rng.poisson(self.expected))), self.rng)
        for start in range(0, series.size, size):
            yield series[start : start + size], times[start : start + size]

    def learn(self, batch: Batch, progress: float) -> float:
        """One step of Adam; the batch's mean loss over what was observed."""
        output = self.network(batch.inputs, batch.categories, half=self.half and progress < _FULL_PRECISION_FROM)
        losses = loss_of(self.configuration.likelihood, output, batch.target, batch.scale)
        loss = (losses * batch.observed).sum() / batch.observed.sum().clamp(min=1.0)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.trained, _LARGEST_GRADIENT)
        if torch.isfinite(norm):
            self.optimiser.param_groups[0]["lr"] = self.configuration.learning_rate * _schedule(progress)
            self.optimiser.step()
            self.steps += 1
            share = min(1.0, (_AVERAGED + 1) / (_AVERAGED + self.steps))
            torch._foreach_lerp_(self.average, [p.detach() for p in self.trained], share)
        return float(loss.detach())

    def averaged(self) -> dict[str, Floats]:
        """Weights averaged over the last steps, which forecast better than the last ones.

        Shamir, Zhang: Stochastic gradient descent for non-smooth optimization, ICML 2013, section 4.
        """
        last = [parameter.detach().clone() for parameter in self.trained]
        torch._foreach_copy_([p.data for p in self.trained], self.average)
        weights = self.network.weights()
        torch._foreach_copy_([p.data for p in self.trained], last)
        return weights


def _schedule(progress: float) -> float:
    """The learning rate's factor: a short linear warm-up, then half a cosine down to 0."""
    return min(progress / _WARM_UP, 0.5 + 0.5 * math.cos(math.pi * progress))


@contextmanager
def _one_thread() -> Iterator[None]:
    """torch's threads wait for each other by spinning: on a busy machine two are many times slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
