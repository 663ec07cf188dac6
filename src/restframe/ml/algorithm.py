"""What an algorithm is to a training job and to an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from restframe.ml.hyperparameters import HyperParameter
from restframe.ml.training_log import TrainingLog

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]


class Predictor(Protocol):
    """A model in memory, as its algorithm's `load` makes it and its `invoke` knows it. Usable from several threads."""


@runtime_checkable
class RowPredictor(Predictor, Protocol):
    """A model that judges rows of numbers."""

    @property
    def feature_count(self) -> int: ...

    def predict(self, points: FloatArray) -> FloatArray:
        """One number for each row of (n, feature_count); DataError for rows it cannot judge."""
        ...


@runtime_checkable
class ConfiguredPredictor(Predictor, Protocol):
    """A model whose answers depend on variables of its container."""

    def configured(self, environment: Mapping[str, str]) -> Predictor:
        """The same model, with these variables; DataError when one that it knows is not right."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One input of a training job: its objects, (name, bytes), read one at a time in the order of their keys."""

    objects: Iterable[tuple[str, bytes]]
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """What training leaves: the artefact's files, and metrics as they stand at the end (`test:f1`)."""

    files: Mapping[str, bytes]
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm under both of its names.

    name : our own, random_cut_forest
    image : SageMaker's image repository, randomcutforest
    label : as SageMaker's logs name it, RandomCutForest
    model_file : the file of the artefact by which it is recognised
    train : (hyper-parameters by name, channels by name, log) -> Trained; DataError when the data is not right
    load : (the artefact's files) -> Predictor; DataError when they are not its own
    invoke : (predictor, body, content type, accept) -> (body, content type); DataError or NotSupportedError when the
        request is not right
    metrics : by name, a regular expression whose group is the value in a line of the log
    checks_in_job : hyper-parameters are looked at by the job, which fails when they are not right, and not before
    keeps_when_stopped : `train` asks the log whether it is to stop, and then returns the best model so far
    """

    name: str
    image: str
    label: str
    hyperparameters: tuple[HyperParameter, ...]
    model_file: str
    required_channels: tuple[str, ...]
    optional_channels: tuple[str, ...]
    training_content_types: tuple[str, ...]
    train: Callable[[Mapping[str, Any], Mapping[str, Channel], TrainingLog], Trained]
    load: Callable[[Mapping[str, bytes]], Predictor]
    invoke: Callable[[Predictor, bytes, str, str], tuple[bytes, str]]
    metrics: Mapping[str, str] = field(default_factory=dict)
    checks_in_job: bool = False
    keeps_when_stopped: bool = False
