"""Models of our own algorithms, in the memory of this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from restframe import errors
from restframe.ml import artifact, registry
from restframe.ml.algorithm import Algorithm, ConfiguredPredictor, Predictor
from restframe.storage import ObjectInfo

_MAX_ARTIFACT_BYTES = 1 << 30  # compressed, before it is even looked at


def check_artifact(info: ObjectInfo) -> None:
    """UnsafeArtifact when a model.tar.gz is too large to be one."""
    if info.size_bytes > _MAX_ARTIFACT_BYTES:
        raise errors.UnsafeArtifact(f'the artefact "{info.url}" is larger than {_MAX_ARTIFACT_BYTES} bytes')


class LocalServer:
    """A model that answers requests as its container would. Usable from any thread."""

    def __init__(self, algorithm: Algorithm, predictor: Predictor) -> None:
        self.algorithm = algorithm
        self.predictor = predictor

    @classmethod
    def load(cls, archive: BinaryIO, algorithm: str | None, environment: Mapping[str, str]) -> LocalServer:
        """The model in a model.tar.gz.

        algorithm : by any of its names; None lets the artefact say it
        environment : the variables of its container; those that its algorithm does not know have no effect

        UndefinedObject, DataError or UnsafeArtifact.
        """
        files = artifact.read(archive)
        found = registry.find(algorithm) if algorithm else registry.recognise(files)
        predictor = found.load(files)
        if isinstance(predictor, ConfiguredPredictor):
            predictor = predictor.configured(environment)
        return cls(found, predictor)

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        return self.algorithm.invoke(self.predictor, body, content_type, accept)

    def close(self) -> None:
        """Nothing is held but memory."""
