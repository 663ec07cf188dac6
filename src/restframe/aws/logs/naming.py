"""What the operations on logs share: how they are named, whose logs they are, how they refuse."""

from __future__ import annotations

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations
from restframe.jobs.logs import Logs

operations = Operations(
    "logs",
    {errors.UndefinedObject: "ResourceNotFoundException", errors.DuplicateObject: "ResourceAlreadyExistsException"},
    general="InvalidParameterException",
)


def logs_of(call: Call) -> Logs:
    return call.backend.warehouse.jobs.logs


def group_name(request: Input) -> str:
    """The group of a request, by its name or its ARN."""
    name = request.get("logGroupName") or request.get("logGroupIdentifier")
    if not name:
        raise refusal("Either logGroupName or logGroupIdentifier must be given.")
    return str(name).rpartition(":log-group:")[2].removesuffix(":*")


def arn(call: Call, group: str) -> str:
    return call.arn(f"log-group:{group}")


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def refusal(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
