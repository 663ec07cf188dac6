"""A model as files: the weights as safetensors, and a JSON that anyone can read. Nothing in either is ever run.

deepar.json : format, version, hyper-parameters, statistics, epoch and loss, sha256 of the weights' file
model.safetensors : arrays in single precision, with the names and shapes of weight_shapes()
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from restframe import errors
from restframe.ml.deepar.configuration import Configuration, check_configuration
from restframe.ml.deepar.model import Floats, Model, check_size, weight_shapes
from restframe.ml.deepar.packing import Statistics
from restframe.ml.forecasting.frequency import Frequency

WEIGHTS_FILE, HEADER_FILE = "model.safetensors", "deepar.json"
_FORMAT, _VERSION = "restframe deepar", 1
_LONGEST_HEADER = 10_000_000  # room for the statistics of ten thousand features
_TYPES = {"int": (int,), "int | None": (int, type(None)), "float": (int, float), "str": (str,), "Likelihood": (str,)}
_FIELDS = {"format", "version", "configuration", "statistics", "epoch", "loss", "sha256"}


def save(model: Model) -> dict[str, bytes]:
    """The model's files by name. The same model gives the same bytes."""
    from safetensors.numpy import save as to_bytes

    weights = to_bytes({name: np.ascontiguousarray(array) for name, array in model.weights.items()})
    statistics = model.statistics
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "configuration": dataclasses.asdict(model.configuration),
        "statistics": {
            "log_size": statistics.log_size,
            "log_size_spread": statistics.log_size_spread,
            "feature_mean": statistics.feature_mean.tolist(),
            "feature_spread": statistics.feature_spread.tolist(),
            "calendar_used": statistics.calendar_used.tolist(),
        },
        "epoch": model.epoch,
        "loss": model.loss if math.isfinite(model.loss) else None,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    return {WEIGHTS_FILE: weights, HEADER_FILE: json.dumps(header, indent=1).encode()}


def load(files: Mapping[str, bytes]) -> Model:
    """A model from its files. DataError when one is missing or anything in them is not as save() left it."""
    for name in (WEIGHTS_FILE, HEADER_FILE):
        if name not in files:
            raise errors.DataError(f'the artefact has no "{name}"')
    header = _header(files[HEADER_FILE])
    if hashlib.sha256(files[WEIGHTS_FILE]).hexdigest() != header["sha256"]:
        raise _broken("the weights are not those that were saved")
    try:
        configuration = _configuration(header["configuration"])
        statistics = _statistics(header["statistics"], configuration)
        loss = math.inf if header["loss"] is None else float(header["loss"])
        epoch = int(header["epoch"])
    except (TypeError, ValueError, KeyError, OverflowError, errors.InvalidParameterValue) as error:
        raise _broken("its hyper-parameters are not those of a model") from error
    return Model(configuration, statistics, _weights(files[WEIGHTS_FILE], configuration), epoch, loss)


def _header(data: bytes) -> dict[str, Any]:
    if len(data) > _LONGEST_HEADER:
        raise _broken(f'"{HEADER_FILE}" is too long')
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _broken(f'"{HEADER_FILE}" is not JSON') from error
    if not isinstance(header, dict) or header.keys() != _FIELDS or header["format"] != _FORMAT:
        raise _broken(f'"{HEADER_FILE}" is not that of a model')
    if header["version"] != _VERSION:
        raise errors.DataError("the DeepAR model was saved by another version of restframe", hint="Train it again.")
    return header


def _configuration(fields: dict[str, Any]) -> Configuration:
    """Checked hyper-parameters. Also KeyError, TypeError, ValueError, InvalidParameterValue."""
    types = {field.name: str(field.type) for field in dataclasses.fields(Configuration)}
    if fields.keys() != types.keys():
        raise ValueError("other hyper-parameters")
    for name, value in fields.items():
        if type(value) not in _TYPES.get(types[name], (type(value),)):
            raise TypeError(name)
    if not all(type(groups) is int for groups in fields["cardinality"]):
        raise TypeError("cardinality")
    configuration = Configuration(**fields | {"cardinality": tuple(fields["cardinality"])})
    check_configuration(configuration)
    check_size(configuration)
    return configuration


def _statistics(fields: dict[str, Any], configuration: Configuration) -> Statistics:
    """Also KeyError, TypeError, ValueError."""
    features, calendar = configuration.num_dynamic_feat, Frequency.parse(configuration.time_freq).feature_count
    arrays = []
    for name, size in (("feature_mean", features), ("feature_spread", features), ("calendar_used", calendar)):
        array = np.array(fields[name], np.float32)
        if array.shape != (size,) or not np.isfinite(array).all():
            raise ValueError(name)
        arrays.append(array)
    log_size, log_size_spread = float(fields["log_size"]), float(fields["log_size_spread"])
    if not (abs(log_size) < 100 and 1 <= log_size_spread < 100 and (arrays[1] > 0).all()):
        raise ValueError("statistics")
    return Statistics(log_size, log_size_spread, *arrays)


def _weights(data: bytes, configuration: Configuration) -> dict[str, Floats]:
    """The arrays, with the shapes that the configuration wants: nothing larger than the file is ever made."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        weights = from_bytes(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _broken(f'"{WEIGHTS_FILE}" cannot be read') from error
    if {name: array.shape for name, array in weights.items()} != weight_shapes(configuration):
        raise _broken("its weights are not those of its hyper-parameters")
    for array in weights.values():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise _broken("its weights are not finite numbers in single precision")
    return weights


def _broken(reason: str) -> errors.UnsafeArtifact:
    return errors.UnsafeArtifact("the DeepAR model is damaged", detail=f"{reason[0].upper()}{reason[1:]}.")
