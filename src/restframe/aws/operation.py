"""How an operation of a service is written.

    operation = Operations("secretsmanager", {errors.UndefinedObject: "ResourceNotFoundException"})

    @operation("GetSecretValue")
    def get_secret_value(request: Input, call: Call) -> Output:
        ...
        return {"Name": ..., "SecretString": ...}

A request has the member names of the service's description and is already validated against it; timestamps are aware
datetimes, blobs are bytes, a streaming member is a `Body`. What is returned has the same names; members that are None
are left out; a streaming member is bytes or an iterator of bytes; a long member of the JSON protocols may come as
`Written`. Operations run in threads and may block.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.http import HttpRequest
from restframe.identity import Principal

if TYPE_CHECKING:
    from restframe.aws.backend import Backend

Input = Mapping[str, Any]
Output = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is being answered.

    service : botocore's name of it
    region : for which it was signed
    http : the request as it came, without its body
    gone : set when the client has left or the server is closing; whoever waits for long looks at it now and then
    """

    service: str
    operation: str
    request_id: str
    caller: Principal
    region: str
    http: HttpRequest
    backend: Backend
    gone: threading.Event = field(default_factory=threading.Event)

    def arn(self, resource: str) -> str:
        """`arn:aws:<service>:<region>:<account>:<resource>`"""
        return f"arn:aws:{self.service}:{self.region}:{self.caller.account}:{resource}"


Function = Callable[[Input, Call], Output | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """waits : whether a request may wait for long (for a job, for the client's bytes), and must not keep others from
    being answered"""

    name: str
    function: Function
    waits: Callable[[Input], bool]


class Operations:
    """The operations of one service that we serve.

    translation : our errors and what the service calls them; the first class that fits. What it does not list is
        the service's general error of bad requests, ValidationException in most
    """

    def __init__(
        self, service: str, translation: Mapping[type[errors.Error], str] | None = None, general: str | None = None
    ) -> None:
        self.service = service
        self._translation = dict(translation or {})
        self._general = general or "ValidationException"
        self._operations: dict[str, Operation] = {}

    def __call__(self, name: str, *, waits: bool | Callable[[Input], bool] = False) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            self._operations[name] = Operation(name, function, waits if callable(waits) else lambda _: waits)
            return function

        return register

    def get(self, name: str) -> Operation | None:
        return self._operations.get(name)

    def names(self) -> list[str]:
        return sorted(self._operations)

    def translate(self, error: errors.Error) -> AwsError:
        """An error of the warehouse as this service says it."""
        for kind, code in self._translation.items():
            if isinstance(error, kind):
                return AwsError(code, error.message)
        if isinstance(error, errors.OperationalError | errors.InternalError):
            return AwsError("InternalFailure", error.message, 500)
        return AwsError(self._general, error.message)
