"""How SageMaker names things and says that a name is unknown or taken; clients search these texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Operations

Kind = Literal["training-job", "transform-job", "model", "endpoint-config", "endpoint"]

_JOBS = {"training-job": "Training job", "transform-job": "Transform job"}
_WORDS = {"model": "model", "endpoint-config": "endpoint configuration", "endpoint": "endpoint"}


class SageMakerOperations(Operations):
    def translate(self, error: errors.Error) -> AwsError:
        """With what can be done about it: which algorithms there are, what a name must look like."""
        said = super().translate(error)
        return AwsError(said.code, f"{said.message}. {error.hint}" if error.hint else said.message, said.status)


operations = SageMakerOperations("sagemaker")


def arn(call: Call, kind: Kind, name: str) -> str:
    """Names stand in ARNs in lower case."""
    return call.arn(f"{kind}/{name.lower()}")


def refusal(message: str) -> AwsError:
    return AwsError("ValidationException", message)


@contextmanager
def finding(call: Call, kind: Kind, name: str) -> Iterator[None]:
    """What is done inside looks for something of this name."""
    try:
        yield
    except errors.UndefinedObject as error:
        if kind in _JOBS:
            raise refusal("Requested resource not found.") from error
        raise refusal(f'Could not find {_WORDS[kind]} "{arn(call, kind, name)}".') from error


@contextmanager
def creating(call: Call, kind: Kind, name: str) -> Iterator[None]:
    """What is done inside takes this name."""
    try:
        yield
    except errors.DuplicateObject as error:
        if kind in _JOBS:
            raise AwsError(
                "ResourceInUse",
                f"{_JOBS[kind]} names must be unique within an AWS account and region, and a {_JOBS[kind].lower()} "
                f"with this name already exists ({arn(call, kind, name)})",
            ) from error
        raise refusal(f'Cannot create already existing {_WORDS[kind]} "{arn(call, kind, name)}".') from error
