"""What users entrust to us, under names: the store behind AWS Secrets Manager.

Values are encrypted each under its secret's ARN and version; names, descriptions and tags are not. A deleted secret
can be restored until its recovery window ends. There is one store for all regions.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import string
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType

from restframe import errors
from restframe.identity import secret_versions as versions
from restframe.identity.secret_records import (
    MARKED,
    Secret,
    SecretExists,
    SecretNotFound,
    SecretUnavailable,
    alive,
    check_name,
    forget_deleted,
    found,
    from_row,
)
from restframe.identity.secret_versions import CURRENT, Value, Version, moment
from restframe.identity.vault import Vault
from restframe.journal import Journal

logger = logging.getLogger(__name__)

_MIGRATIONS = (
    """
    CREATE TABLE secrets (
        arn TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT, kms_key TEXT, type TEXT, tags TEXT,
        policy TEXT, created REAL NOT NULL, changed REAL NOT NULL, accessed REAL, deleted REAL
    ) STRICT;
    CREATE TABLE secret_versions (
        arn TEXT NOT NULL REFERENCES secrets ON DELETE CASCADE, id TEXT NOT NULL, binary INTEGER NOT NULL,
        value BLOB NOT NULL, created REAL NOT NULL, accessed REAL, PRIMARY KEY (arn, id)
    ) STRICT;
    CREATE TABLE secret_stages (
        arn TEXT NOT NULL, stage TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (arn, stage),
        FOREIGN KEY (arn, version) REFERENCES secret_versions (arn, id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID
    """,
)

_LONGEST_VALUE = 65_536
_MOST_TAGS = 50
_DAY_S = 86_400


class Secrets:
    """Usable from any thread. Secrets are named by name, by ARN, or by an ARN without its last seven characters.

    What changes a secret is on the disk when it returns. Everywhere: SecretNotFound, and SecretUnavailable for a
    secret that is marked for deletion, where nothing else is said.
    """

    def __init__(self, journal: Journal, vault: Vault) -> None:
        self._journal = journal
        self._vault = vault
        journal.migrate("secrets", _MIGRATIONS)
        with journal.transaction() as connection:
            forget_deleted(connection)

    # To read

    def value(self, secret_id: str) -> str:
        """The current text of a secret."""
        _, _, value = self.read(secret_id)
        if isinstance(value, bytes):
            raise errors.InvalidParameterValue("the secret is binary")
        return value

    def read(
        self, secret_id: str, version_id: str | None = None, stage: str | None = None
    ) -> tuple[Secret, Version, Value]:
        """One version of a secret: that with an id, with a label, or the current one."""
        with self._journal.transaction() as connection:
            secret = alive(connection, secret_id)
            wanted = version_id or versions.labelled(connection, secret.arn, stage or CURRENT)
            version = versions.one(connection, secret.arn, wanted) if wanted else None
            if version is None:
                place = f"VersionId: {version_id}" if version_id else f"staging label: {stage or CURRENT}"
                raise SecretNotFound(f"Secrets Manager can't find the specified secret value for {place}")
            value = versions.read(connection, self._vault, secret.arn, version.id)
        if version_id and stage and stage not in version.stages:
            raise SecretUnavailable("You provided a VersionStage that is not associated to the provided VersionId.")
        self._note_access(secret, version)
        return secret, version, value

    def find(self, secret_id: str) -> Secret:
        """A secret, also one that is marked for deletion."""
        with self._journal.transaction() as connection:
            return found(connection, secret_id)

    def versions_of(self, secret: Secret) -> list[Version]:
        """In the order of their making, the deprecated ones among them."""
        with self._journal.transaction() as connection:
            return versions.listed(connection, secret.arn)

    def version_of(self, secret: Secret, version_id: str) -> Version | None:
        with self._journal.transaction() as connection:
            return versions.one(connection, secret.arn, version_id)

    def all(self) -> list[Secret]:
        """All of them, those marked for deletion too, in the order of their making."""
        rows = self._journal.rows(
            "SELECT * FROM secrets WHERE deleted IS NULL OR deleted > ? ORDER BY created, rowid", (time.time(),)
        )
        return [from_row(row) for row in rows]

    # To change

    def create(
        self,
        name: str,
        arn_prefix: str,
        value: Value | None,
        version_id: str,
        tags: Mapping[str, str] | None = None,
        texts: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Secret:
        """A new secret, with a first version unless the value is None.

        arn_prefix : `arn:aws:secretsmanager:<region>:<account>:secret:`
        texts : `description`, `kms_key`, `type`
        The same again, with the same version_id, changes nothing. SecretExists; SecretUnavailable when the name
        belongs to one that is marked for deletion.
        """
        check_name(name)
        _check_value(value)
        _check_tags(tags)
        with self._journal.transaction() as connection:
            forget_deleted(connection)
            present = connection.execute("SELECT * FROM secrets WHERE name = ?", (name,)).fetchone()
            if present is not None:
                return self._created_before(connection, from_row(present), value, version_id)
            arn = arn_prefix + name + "-" + "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(6))
            now = time.time()
            connection.execute(
                "INSERT INTO secrets (arn, name, tags, created, changed) VALUES (?, ?, ?, ?, ?)",
                (arn, name, None if tags is None else json.dumps(tags), now, now),
            )
            _write_texts(connection, arn, texts)
            if value is not None:
                versions.add(connection, self._vault, arn, version_id, value, [CURRENT])
            return found(connection, arn)

    def _created_before(
        self, connection: sqlite3.Connection, secret: Secret, value: Value | None, version_id: str
    ) -> Secret:
        if secret.deleted:
            raise SecretUnavailable(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            )
        if value is None or versions.one(connection, secret.arn, version_id) is None:
            raise SecretExists(f"The operation failed because the secret {secret.name} already exists.")
        versions.add(connection, self._vault, secret.arn, version_id, value, [])
        return secret

    def update(
        self,
        secret_id: str,
        value: Value | None,
        version_id: str,
        stages: Sequence[str] = (CURRENT,),
        texts: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Secret:
        """A new version with these labels unless the value is None, and other texts.

        The first version is the current one in any case; the same again changes nothing.
        texts : `description`, `kms_key`, `type`, `policy`
        VersionExists when the version has another value, TooManyLabels.
        """
        _check_value(value)
        with self._changing(secret_id) as (connection, secret):
            if value is not None:
                versions.add(connection, self._vault, secret.arn, version_id, value, stages)
            _write_texts(connection, secret.arn, texts)
            return found(connection, secret.arn)

    def tag(self, secret_id: str, tags: Mapping[str, str], without: Iterable[str] = ()) -> None:
        """Add tags or change them, and take some away."""
        with self._changing(secret_id) as (connection, secret):
            gone = set(without)
            tags = {**{key: value for key, value in (secret.tags or {}).items() if key not in gone}, **tags}
            _check_tags(tags)
            connection.execute("UPDATE secrets SET tags = ? WHERE arn = ?", (json.dumps(tags), secret.arn))

    def move_label(self, secret_id: str, stage: str, source: str | None, target: str | None) -> Secret:
        """Take a label from one version, put it on another, or both.

        InvalidParameterValue when a version does not exist, or when the label is elsewhere than the source.
        """
        with self._changing(secret_id) as (connection, secret):
            _check_move(connection, secret, stage, source, target)
            if target is not None:
                versions.label(connection, secret.arn, stage, target)
            elif source is not None:
                versions.unlabel(connection, secret.arn, stage)
            return secret

    def delete(self, secret_id: str, window_days: int | None = 30) -> tuple[Secret, datetime]:
        """Mark for deletion after some days, or delete at once (None), also what was marked.

        returns the secret and when it is gone for good
        """
        now = time.time()
        with self._journal.transaction() as connection:
            secret = found(connection, secret_id)
            if window_days is None:
                connection.execute("DELETE FROM secrets WHERE arn = ?", (secret.arn,))
                return secret, moment(now)
            if secret.deleted:
                raise SecretUnavailable(MARKED)
            due = now + window_days * _DAY_S
            connection.execute("UPDATE secrets SET deleted = ? WHERE arn = ?", (due, secret.arn))
            return secret, moment(due)

    def restore(self, secret_id: str) -> Secret:
        with self._journal.transaction() as connection:
            secret = found(connection, secret_id)
            connection.execute("UPDATE secrets SET deleted = NULL WHERE arn = ?", (secret.arn,))
            return found(connection, secret.arn)

    @contextmanager
    def _changing(self, secret_id: str) -> Iterator[tuple[sqlite3.Connection, Secret]]:
        with self._journal.transaction() as connection:
            secret = alive(connection, secret_id)
            yield connection, secret
            connection.execute("UPDATE secrets SET changed = ? WHERE arn = ?", (time.time(), secret.arn))

    def _note_access(self, secret: Secret, version: Version) -> None:
        """Once a day."""
        today = time.time() // _DAY_S * _DAY_S
        if version.accessed == moment(today):
            return
        try:
            self._write_access(secret, version, today)
        except errors.OperationalError as error:  # a full disk must not keep anybody from reading
            logger.warning("the last access to a secret was not noted: %s", error.message)

    def _write_access(self, secret: Secret, version: Version, day: float) -> None:
        with self._journal.transaction() as connection:
            connection.execute("UPDATE secrets SET accessed = ? WHERE arn = ?", (day, secret.arn))
            connection.execute(
                "UPDATE secret_versions SET accessed = ? WHERE arn = ? AND id = ?", (day, secret.arn, version.id)
            )


_SUFFIX_LETTERS = string.ascii_letters + string.digits
_TEXTS = {"description", "kms_key", "type", "policy"}


def _check_value(value: Value | None) -> None:
    size = len(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value or b"")
    if value is not None and not 0 < size <= _LONGEST_VALUE:
        raise errors.InvalidParameterValue(f"a secret has 1 to {_LONGEST_VALUE} bytes, and this one {size}")


def _check_tags(tags: Mapping[str, str] | None) -> None:
    if tags is not None and len(tags) > _MOST_TAGS:
        raise errors.InvalidParameterValue(f"a secret can have {_MOST_TAGS} tags")


def _check_move(
    connection: sqlite3.Connection, secret: Secret, stage: str, source: str | None, target: str | None
) -> None:
    for version_id in (source, target):
        if version_id is not None and versions.one(connection, secret.arn, version_id) is None:
            raise errors.InvalidParameterValue(f"Not a valid version: {version_id}")
    holder = versions.labelled(connection, secret.arn, stage)
    if source is not None and source != holder:
        raise errors.InvalidParameterValue(f"Version stage {stage} not found in version {source}")
    if source is None and holder not in (None, target):
        raise errors.InvalidParameterValue(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version "
            f"{holder}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if target is None and stage == CURRENT:
        raise errors.InvalidParameterValue(
            f"You can only move staging label {CURRENT} to a different secret version. It can't be completely removed."
        )
    if source is None and target is None:
        raise errors.InvalidParameterValue("MoveToVersionId or RemoveFromVersionId is needed")


def _write_texts(connection: sqlite3.Connection, arn: str, texts: Mapping[str, str | None]) -> None:
    for column in _TEXTS & texts.keys():
        connection.execute(f"UPDATE secrets SET {column} = ? WHERE arn = ?", (texts[column], arn))
