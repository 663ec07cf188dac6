"""Errors as AWS words them: a code that clients match on, a message for people, and the members of a modelled one."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """What an operation raises for its client.

    code : `ValidationException`, `NoSuchKey`; for a modelled error the name of its shape or its error code
    status : of HTTP; None takes the model's, and 400 for a code that is not modelled
    members : further members of the modelled error, such as ResourceId
    """

    def __init__(self, code: str, message: str, /, status: int | None = None, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members
