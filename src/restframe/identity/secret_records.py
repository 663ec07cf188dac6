"""What there is to know about a secret besides its values, and how secrets are found."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from restframe import errors
from restframe.identity.secret_versions import moment, optional_moment

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")


class SecretNotFound(errors.UndefinedObject):
    """No such secret, or no such version of it."""


class SecretExists(errors.DuplicateObject):
    pass


class InvalidSecretName(errors.InvalidParameterValue):
    pass


class SecretUnavailable(errors.Error):
    """Not as the secret is now: it was marked for deletion, or the label is on another version."""

    sqlstate = "55000"


@dataclass(frozen=True, slots=True)
class Secret:
    """tags : None when it never had any
    accessed : the day on which it was last read
    deleted : when it can be restored no longer; None for one that lives
    """

    arn: str
    name: str
    description: str | None
    kms_key: str | None
    type: str | None
    tags: Mapping[str, str] | None
    policy: str | None
    created: datetime
    changed: datetime
    accessed: datetime | None
    deleted: datetime | None


MARKED = "You can't perform this operation on the secret because it was marked for deletion."


def found(connection: sqlite3.Connection, secret_id: str) -> Secret:
    """A secret by name, by ARN, or by an ARN without the seven characters that were added to the name."""
    if not secret_id.startswith("arn:"):
        check_name(secret_id)
    name = secret_id.rpartition(":")[2]
    row = connection.execute(
        """
        SELECT * FROM secrets WHERE name IN (:name, :shorter) AND :id IN (name, arn, substr(arn, 1, length(arn) - 7))
            AND (deleted IS NULL OR deleted > :now)
        ORDER BY arn = :id DESC
        """,  # a whole ARN first, because a name may look as if it had been added to
        {"name": name, "shorter": name[:-7], "id": secret_id, "now": time.time()},
    ).fetchone()
    if row is None:
        raise SecretNotFound("Secrets Manager can't find the specified secret.")
    return from_row(row)


def alive(connection: sqlite3.Connection, secret_id: str) -> Secret:
    secret = found(connection, secret_id)
    if secret.deleted:
        raise SecretUnavailable(MARKED)
    return secret


def from_row(row: sqlite3.Row) -> Secret:
    return Secret(
        row["arn"],
        row["name"],
        row["description"],
        row["kms_key"],
        row["type"],
        None if row["tags"] is None else json.loads(row["tags"]),
        row["policy"],
        moment(row["created"]),
        moment(row["changed"]),
        optional_moment(row["accessed"]),
        optional_moment(row["deleted"]),
    )


def forget_deleted(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM secrets WHERE deleted <= ?", (time.time(),))


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidSecretName(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        )
