"""DeepAR as SageMaker's container `forecasting-deepar` runs it.

https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from restframe import errors
from restframe.ml.algorithm import Algorithm, Channel, Predictor, Trained
from restframe.ml.containers import deepar_data as data
from restframe.ml.containers.deepar_hyperparameters import HYPERPARAMETERS
from restframe.ml.containers.deepar_log import METRICS, Progress, Story
from restframe.ml.training_log import TrainingLog

if TYPE_CHECKING:
    from restframe.ml.deepar import Configuration, Model
    from restframe.ml.forecasting.scores import Scores
    from restframe.ml.forecasting.series import Series

_AT_ONCE = 64  # test series; between two lots a job can be stopped


def train(parameters: Mapping[str, Any], channels: Mapping[str, Channel], log: TrainingLog) -> Trained:
    """Train as the hyper-parameters say, and score the model on the channel "test" when there is one.

    When the log says that the job is stopping, the best model so far comes without scores. QueryCanceled when not one
    epoch was done until then; DataError when the data is not right.
    """
    from restframe.ml.deepar import fit, save

    story = Story(log)
    story.configuration(parameters["early_stopping_patience"])
    data.check_size(parameters)
    series, file = data.read_channel("train", channels["train"])
    configuration = _configuration(parameters, series, file, story)
    series = data.using(series, bool(configuration.cardinality), configuration.num_dynamic_feat > 0)
    data.check_values("train", series, configuration.likelihood)
    usable = data.trainable(series, configuration.prediction_length)
    story.statistics("Training", series)
    story.passes(len(usable), configuration.mini_batch_size)
    samples = parameters["num_eval_samples"]
    tests = _tests(channels["test"], configuration, samples, story) if "test" in channels else []
    setup_ms = story.elapsed_ms()
    if log.stopping():
        _say_why_there_is_no_model(log)
    _import_torch()
    story.machine()
    progress = Progress(story, configuration.epochs)
    model = fit(usable, configuration, progress)
    if progress.best is None:
        _say_why_there_is_no_model(log)
    progress.finished()
    files = save(model)
    story.serialised()
    metrics = dict(progress.metrics)
    if tests and (scores := _score(model, tests, parameters, story)) is not None:
        story.scores(scores)
        metrics |= {"test:RMSE": scores.rmse, "test:mean_wQuantileLoss": scores.mean_wql}
    story.end(setup_ms)
    return Trained(files, {name: value for name, value in metrics.items() if math.isfinite(value)})


def _import_torch() -> None:
    """Before the first epoch, whose throughput is measured; and after all that may be wrong with the data."""
    try:
        importlib.import_module("restframe.ml.deepar.training")
    except ImportError as error:
        raise errors.NotSupportedError(
            "DeepAR is trained by torch, which is not installed", hint="pip install 'restframe[forecast]'"
        ) from error


def _say_why_there_is_no_model(log: TrainingLog) -> NoReturn:
    if log.stopping():
        raise errors.QueryCanceled("training was stopped before its first epoch was done")
    raise errors.DataError(
        "the loss was not a finite number in any epoch",
        hint="Lower learning_rate, or look for values of `target` that are out of all proportion.",
    )


def _configuration(parameters: Mapping[str, Any], series: Sequence[Series], file: str, story: Story) -> Configuration:
    from restframe.ml.deepar import Configuration

    cardinality = data.settle_categories(parameters["cardinality"], series, file, story)
    features = data.settle_features(parameters["num_dynamic_feat"], series, file, story)
    named = {field.name: parameters[field.name] for field in dataclasses.fields(Configuration)}
    return Configuration(**{**named, "cardinality": cardinality, "num_dynamic_feat": features})


def _tests(channel: Channel, configuration: Configuration, samples: int, story: Story) -> list[Series]:
    series, _ = data.read_channel("test", channel)
    if configuration.cardinality:
        data.check_categories("test", series, configuration.cardinality)
    if configuration.num_dynamic_feat:
        data.check_features("test", series, configuration.num_dynamic_feat)
    series = data.using(series, bool(configuration.cardinality), configuration.num_dynamic_feat > 0)
    data.check_observed("test", series)
    data.check_values("test", series, configuration.likelihood)
    usable = data.scorable(series, configuration.prediction_length, samples)
    story.statistics("Test", series)
    return usable


def _score(model: Model, tests: Sequence[Series], parameters: Mapping[str, Any], story: Story) -> Scores | None:
    """How well the last steps of each series are forecast from those before; None when the job is stopping."""
    from restframe.ml.deepar import Asked
    from restframe.ml.forecasting.scores import score

    count, steps = parameters["num_eval_samples"], parameters["prediction_length"]
    story.log.info(f"Evaluating model accuracy on testset using {count} samples")
    story.took("model.bind.time")
    histories = [dataclasses.replace(one, target=one.target[:-steps]) for one in tests]
    samples = []
    for first in range(0, len(tests), _AT_ONCE):
        if story.log.stopping():
            return None
        asked = Asked(tuple(histories[first : first + _AT_ONCE]), samples=count, seed=parameters["seed"])
        samples += list(model.sample([asked])[0])
    return score(samples, [one.target[-steps:] for one in tests], parameters["test_quantiles"])


def load(files: Mapping[str, bytes]) -> Predictor:
    from restframe.ml.containers.forecasts import Forecaster
    from restframe.ml.deepar import load as load_model

    forecaster = Forecaster(load_model(files))
    forecaster.warm()
    return forecaster


def invoke(predictor: Predictor, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    from restframe.ml.containers.forecasts import answer

    return answer(predictor, body, content_type, accept)


DEEPAR = Algorithm(
    name="deepar",
    image="forecasting-deepar",
    label="AWS/DeepAR",
    hyperparameters=HYPERPARAMETERS,
    model_file="deepar.json",
    required_channels=("train",),
    optional_channels=("test",),
    training_content_types=(
        "application/jsonlines", "application/json", "application/x-parquet", "json", "parquet", "auto",
    ),
    train=train,
    load=load,
    invoke=invoke,
    metrics=METRICS,
    checks_in_job=True,
    keeps_when_stopped=True,
)  # fmt: skip
