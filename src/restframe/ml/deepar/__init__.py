"""DeepAR: probabilistic forecasts by an autoregressive recurrent network, one for all series.

    model = fit(series, Configuration(context_length=48, prediction_length=48, epochs=10, time_freq="H"))
    samples = model.sample([Asked(series)])[0]        # (len(series), 100, 48)
    files = save(model)

Only training needs torch, and only fit() imports it.

Salinas, Flunkert, Gasthaus: DeepAR: Probabilistic Forecasting with Autoregressive Recurrent Networks, 2020.
https://arxiv.org/abs/1704.04110
"""

from __future__ import annotations

from collections.abc import Sequence

from restframe.ml.deepar.configuration import Configuration
from restframe.ml.deepar.file import load, save
from restframe.ml.deepar.model import Asked, Model
from restframe.ml.deepar.reports import EpochReport, Observer
from restframe.ml.forecasting.series import Series

__all__ = ["Asked", "Configuration", "EpochReport", "Model", "Observer", "fit", "load", "save"]


def fit(series: Sequence[Series], configuration: Configuration, observer: Observer | None = None) -> Model:
    """Train a network.

    series : those of at most prediction_length steps, and those without any observation, are left out
    observer : hears of every batch and epoch, and may end training with the best model so far
    InvalidParameterValue for a hyper-parameter out of range; DataError for a series that does not fit the
    configuration, and when none is left.
    """
    from restframe.ml.deepar import training

    return training.fit(series, configuration, observer)
