"""The table of operations, and what several of them share."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations
from restframe.identity.vault import DecryptionFailed
from restframe.warehouse import runs

operations = Operations(
    "redshift-data",
    {
        runs.TooManyRuns: "ActiveStatementsExceededException",
        runs.TooManySessions: "ActiveSessionsExceededException",
        runs.TooManyWaiting: "ActiveWaitingRequestsExceededException",
        errors.WarehousePaused: "DatabaseConnectionException",
        errors.InvalidAuthorization: "DatabaseConnectionException",
        errors.QueryCanceled: "QueryTimeoutException",
        errors.OperationalError: "InternalServerException",
        errors.InternalError: "InternalServerException",
    },
)

Item = TypeVar("Item")


def asks_to_wait(request: Input) -> bool:
    return "WaitTimeSeconds" in request


def caller(call: Call) -> runs.Caller:
    """Who sees whose statements: those in one role, as far as they are the same database user by themselves. Else a
    session or a result of the superuser's would be open to everybody."""
    principal = call.caller
    return runs.Caller(f"{principal.account}:{principal.role}:{principal.database_user}", principal.arn)


def not_found(message: str, resource: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, ResourceId=resource[:100])


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def check_one_target(request: Input) -> None:
    if request.get("ClusterIdentifier") and request.get("WorkgroupName"):
        raise invalid("ClusterIdentifier and WorkgroupName cannot be given together.")


# NextToken: where to go on, unreadable and of no use in another list


def write_token(call: Call, subject: str, place: Sequence[Any]) -> str:
    vault = call.backend.identity.vault
    return base64.urlsafe_b64encode(vault.encrypt(json.dumps(place).encode(), _purpose(subject))).decode()


def read_token(call: Call, subject: str, token: str) -> list[Any]:
    """What was written for the same subject. ValidationException for anything else."""
    try:
        place = call.backend.identity.vault.decrypt(base64.urlsafe_b64decode(token.encode()), _purpose(subject))
    except (DecryptionFailed, ValueError) as error:
        raise invalid("Invalid NextToken: it was not given for this request.") from error
    found: list[Any] = json.loads(place)
    return found


def _purpose(subject: str) -> str:
    return f"redshift-data NextToken {subject}"


def page_of(items: Sequence[Item], request: Input, call: Call, most: int) -> tuple[Sequence[Item], str | None]:
    """The items of one page of a list that is short enough to be made anew for each page."""
    given = {name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")}
    subject = f"{call.operation} {json.dumps(given, sort_keys=True)}"
    (start,) = read_token(call, subject, request["NextToken"]) if request.get("NextToken") else (0,)
    end = start + (request.get("MaxResults") or most)
    return items[start:end], write_token(call, subject, [end]) if end < len(items) else None
