"""Errors as AWS words them: a code that clients match on, a message for people, and the members of a modelled one."""

from __future__ import annotations

from typing import Any

_LONGEST = 4096  # characters; what a container says of its failure is kept up to here


class AwsError(Exception):
    """What an operation raises for its client. Endless texts are cut: messages and members repeat what clients send.

    code : `ValidationException`, `NoSuchKey`; for a modelled error the name of its shape or its error code
    status : of HTTP; None takes the model's, and 400 for a code that is not modelled
    members : further members of the modelled error, such as ResourceId
    """

    def __init__(self, code: str, message: str, /, status: int | None = None, **members: Any) -> None:
        self.code = code
        self.message = _cut(message)
        self.status = status
        self.members = {name: _cut(value) if isinstance(value, str) else value for name, value in members.items()}
        super().__init__(f"{code}: {self.message}")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
