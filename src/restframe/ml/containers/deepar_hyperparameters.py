"""The hyper-parameters of DeepAR as SageMaker documents them, and what their texts mean.

https://docs.aws.amazon.com/sagemaker/latest/dg/deepar_hyperparameters.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from restframe import errors
from restframe.ml.hyperparameters import HyperParameter

Cardinality = str | tuple[int, ...]  # "auto", "ignore" or the number of groups of each category
_LIKELIHOODS = ("student-T", "gaussian", "negative-binomial", "beta", "deterministic-L1")
_FREQUENCY = "an integer followed by M, W, D, H or min, such as 2H"


def _cardinality(text: str) -> Cardinality:
    from restframe.ml.deepar.configuration import MOST_GROUPS

    if text in ("auto", "ignore"):
        return text
    if not text:
        return "ignore"
    found = _array(text)
    if not found or not all(type(one) is int and 1 <= one <= MOST_GROUPS for one in found):
        raise ValueError
    return tuple(found)


def _feature_count(text: str) -> str | int:
    if text in ("auto", "ignore"):
        return text
    count = int(text) if text else 0
    if count < 0:
        raise ValueError
    return count or "ignore"


def _patience(text: str) -> int | None:
    if not text:
        return None
    patience = int(text)
    if patience < 1:
        raise ValueError
    return patience


def _likelihood(text: str) -> str:
    for name in _LIKELIHOODS:
        if name.lower() == text.lower():
            return name
    raise ValueError


def _quantiles(text: str) -> tuple[float, ...]:
    found = _array(text)
    if not found or not all(isinstance(one, int | float) and 0 < one < 1 for one in found):
        raise ValueError
    return tuple(float(one) for one in found)


def _time_freq(text: str) -> str:
    from restframe.ml.forecasting.frequency import Frequency

    try:
        return str(Frequency.parse(text))
    except errors.InvalidParameterValue as error:
        raise ValueError from error


def _array(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError from error
    if not isinstance(found, list):
        raise ValueError(text)
    return found


def _own(name: str, default: str, read: Callable[[str], Any], expects: str) -> HyperParameter:
    return HyperParameter(name, "text", default, read=read, expects=expects)


HYPERPARAMETERS = (
    # Lengths and sizes end where one network would no longer fit into a machine.
    HyperParameter("context_length", "integer", required=True, low=1, high=100_000),
    HyperParameter("prediction_length", "integer", required=True, low=1, high=100_000),
    HyperParameter("epochs", "integer", required=True, low=1, high=100_000),
    HyperParameter("time_freq", "text", required=True, read=_time_freq, expects=_FREQUENCY),
    _own("cardinality", "auto", _cardinality, "auto, ignore, an array of integers such as [2,3], or nothing"),
    _own("num_dynamic_feat", "auto", _feature_count, "auto, ignore, an integer, or nothing"),
    HyperParameter("dropout_rate", "number", "0.10", low=0, high=0.9),
    _own("early_stopping_patience", "", _patience, "an integer of at least 1, or nothing"),
    HyperParameter("embedding_dimension", "integer", "10", low=1, high=1000),
    HyperParameter("learning_rate", "number", "0.001", low=1e-8, high=1),
    _own("likelihood", "student-t", _likelihood, f"one of {', '.join(_LIKELIHOODS)}"),
    HyperParameter("mini_batch_size", "integer", "128", low=1, high=100_000),
    HyperParameter("num_cells", "integer", "40", low=1, high=2000),
    HyperParameter("num_layers", "integer", "2", low=1, high=20),
    HyperParameter("num_eval_samples", "integer", "100", low=1, high=10_000),
    _own(
        "test_quantiles",
        "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]",
        _quantiles,
        "an array of numbers between 0 and 1 such as [0.1,0.5,0.9]",
    ),
    # without effect here
    HyperParameter("_num_gpus", "text", "auto"),
    HyperParameter("_kvstore", "text", "auto"),
    HyperParameter("_num_kv_servers", "text", "auto"),
    HyperParameter("_tuning_objective_metric", "text", ""),
    # ours: the same seed, data and hyper-parameters give the same model; SageMaker has no such parameter
    HyperParameter("seed", "integer", "0", low=0, high=2**63 - 1),
)

# As the container prints them: all that have a default there.
DEFAULTS = {row.name: row.default for row in HYPERPARAMETERS if row.default is not None and row.name != "seed"}
