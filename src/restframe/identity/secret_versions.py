"""The values a secret has had, and the labels that say which of them is which.

A label is on one version of a secret at a time. Whenever AWSCURRENT moves, AWSPREVIOUS goes where it was. A version
without labels is deprecated; the hundred latest are kept, and those of the last day.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from restframe import errors
from restframe.identity.vault import Vault

CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"

Value = str | bytes

_MOST_LABELS = 20
_VERSIONS_KEPT = 100
_DAY_S = 86_400


class TooManyLabels(errors.Error):
    sqlstate = "54000"


class VersionExists(errors.DuplicateObject):
    """A version has this identifier already, and another value."""


@dataclass(frozen=True, slots=True)
class Version:
    """accessed : the day on which it was last read; stages : in alphabetical order"""

    id: str
    created: datetime
    accessed: datetime | None
    stages: tuple[str, ...]


def add(
    connection: sqlite3.Connection, vault: Vault, arn: str, version_id: str, value: Value, stages: Iterable[str]
) -> None:
    """A new version with these labels, which leave those that had them.

    The same again changes nothing. VersionExists when the version has another value, TooManyLabels.
    """
    if one(connection, arn, version_id) is not None:
        if read(connection, vault, arn, version_id) != value:
            raise VersionExists(
                f"You can't use ClientRequestToken {version_id} because that value is already in use for a version of "
                f"secret {arn}."
            )
        return
    content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    binary = isinstance(value, bytes)
    connection.execute(
        "INSERT INTO secret_versions (arn, id, binary, value, created) VALUES (?, ?, ?, ?, ?)",
        (arn, version_id, binary, vault.encrypt(content, _sealed_as(arn, version_id, binary)), time.time()),
    )
    first = labelled(connection, arn, CURRENT) is None
    for stage in dict.fromkeys([*stages, CURRENT] if first else stages):
        label(connection, arn, stage, version_id)
    _forget_old(connection, arn)


def read(connection: sqlite3.Connection, vault: Vault, arn: str, version_id: str) -> Value:
    """The value of a version that is there. DecryptionFailed when it is damaged."""
    row = connection.execute(
        "SELECT binary, value FROM secret_versions WHERE arn = ? AND id = ?", (arn, version_id)
    ).fetchone()
    content = vault.decrypt(row["value"], _sealed_as(arn, version_id, bool(row["binary"])))
    return content if row["binary"] else content.decode("utf-8", "surrogatepass")


def _sealed_as(arn: str, version_id: str, binary: bool) -> str:
    return f"{'binary' if binary else 'text'} secret {arn} {version_id}"


def labelled(connection: sqlite3.Connection, arn: str, stage: str) -> str | None:
    """The version that has a label."""
    row = connection.execute("SELECT version FROM secret_stages WHERE arn = ? AND stage = ?", (arn, stage)).fetchone()
    return row["version"] if row else None


def label(connection: sqlite3.Connection, arn: str, stage: str, version_id: str) -> None:
    """Put a label on a version, from wherever it was. TooManyLabels when the secret has twenty others."""
    before = labelled(connection, arn, stage)
    connection.execute("INSERT OR REPLACE INTO secret_stages VALUES (?, ?, ?)", (arn, stage, version_id))
    if stage == CURRENT and before not in (None, version_id):
        connection.execute("INSERT OR REPLACE INTO secret_stages VALUES (?, ?, ?)", (arn, PREVIOUS, before))
    (count,) = connection.execute("SELECT count(*) FROM secret_stages WHERE arn = ?", (arn,)).fetchone()
    if count > _MOST_LABELS:
        raise TooManyLabels(f"A secret can have {_MOST_LABELS} staging labels.")


def unlabel(connection: sqlite3.Connection, arn: str, stage: str) -> None:
    connection.execute("DELETE FROM secret_stages WHERE arn = ? AND stage = ?", (arn, stage))


def one(connection: sqlite3.Connection, arn: str, version_id: str) -> Version | None:
    row = connection.execute("SELECT * FROM secret_versions WHERE arn = ? AND id = ?", (arn, version_id)).fetchone()
    if row is None:
        return None
    stages = connection.execute(
        "SELECT stage FROM secret_stages WHERE arn = ? AND version = ? ORDER BY stage", (arn, version_id)
    )
    return _version(row, [stage["stage"] for stage in stages])


def listed(connection: sqlite3.Connection, arn: str) -> list[Version]:
    """All versions, in the order of their making."""
    stages: dict[str, list[str]] = {}
    for row in connection.execute("SELECT stage, version FROM secret_stages WHERE arn = ? ORDER BY stage", (arn,)):
        stages.setdefault(row["version"], []).append(row["stage"])
    rows = connection.execute(
        "SELECT id, created, accessed FROM secret_versions WHERE arn = ? ORDER BY created, rowid", (arn,)
    )
    return [_version(row, stages.get(row["id"], [])) for row in rows]


def _version(row: sqlite3.Row, stages: list[str]) -> Version:
    return Version(row["id"], moment(row["created"]), optional_moment(row["accessed"]), tuple(stages))


def _forget_old(connection: sqlite3.Connection, arn: str) -> None:
    connection.execute(
        """
        DELETE FROM secret_versions WHERE arn = ? AND created < ?
            AND id NOT IN (SELECT version FROM secret_stages WHERE arn = ?)
            AND id NOT IN (SELECT id FROM secret_versions WHERE arn = ? ORDER BY created DESC, rowid DESC LIMIT ?)
        """,
        (arn, time.time() - _DAY_S, arn, arn, _VERSIONS_KEPT),
    )


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def optional_moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
