"""Access keys: who may sign requests, until they are revoked."""

from __future__ import annotations

import logging
import re
import secrets
import sqlite3
import string
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from restframe import errors
from restframe.identity.principal import Credentials, holder
from restframe.identity.vault import Vault
from restframe.journal import Journal
from restframe.settings import Settings

logger = logging.getLogger(__name__)

_MIGRATIONS = (
    """
    CREATE TABLE access_keys (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, secret BLOB, database_user TEXT NOT NULL, created REAL NOT NULL,
        last_used REAL, revoked REAL
    ) STRICT
    """,
)

_FRESH_S = 0.5  # how old our knowledge of the keys may be: another process may make or revoke some
_UNKNOWN_FRESH_S = 0.01  # the same before a key is called unknown
_USE_NOTED_S = 60  # how exactly the last use is remembered

SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


class UnknownAccessKey(errors.Error):
    """No access key has this id, or it was revoked."""

    sqlstate = "28000"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """last_used : exact to a minute"""

    id: str
    name: str
    database_user: str
    created: datetime
    last_used: datetime | None
    revoked: datetime | None


class AccessKeys:
    """The keys of a directory. Usable from any thread; other processes may make and revoke keys meanwhile, which is
    noticed within half a second."""

    def __init__(self, journal: Journal, vault: Vault, settings: Settings) -> None:
        self._journal = journal
        self._vault = vault
        self._settings = settings
        self._lock = threading.Lock()
        self._live: dict[str, Credentials] = {}
        self._read_at = 0.0
        self._use_noted: dict[str, float] = {}
        journal.migrate("access_keys", _MIGRATIONS)
        with journal.transaction() as connection:  # so that two processes do not make a first key each
            if not connection.execute("SELECT 1 FROM access_keys LIMIT 1").fetchone():
                self._insert(connection, "default", settings.user)
        self._read()

    def create(self, name: str, database_user: str | None = None) -> Credentials:
        """A new key, whose holders are the database user (the superuser when None).

        name : what the holder is called in ARNs; several keys may have the same
        InvalidParameterValue when it does not fit there, or when the user has no name.
        """
        if database_user == "":
            raise errors.InvalidParameterValue("a key needs the name of a database user")
        if not SESSION_NAME.fullmatch(name):
            raise errors.InvalidParameterValue(
                f'"{name[:100]}" is not a name for a key', hint="Take 2 to 64 letters, digits and characters of _+=,.@-"
            )
        with self._journal.transaction() as connection:
            access_key_id = self._insert(connection, name, database_user or self._settings.user)
        self._read()
        return self._live[access_key_id]

    def _insert(self, connection: sqlite3.Connection, name: str, database_user: str) -> str:
        access_key_id = new_id("AKIA")
        sealed = self._vault.encrypt(new_secret().encode(), _sealed_as(access_key_id))
        connection.execute(
            "INSERT INTO access_keys (id, name, secret, database_user, created) VALUES (?, ?, ?, ?, ?)",
            (access_key_id, name, sealed, database_user, time.time()),
        )
        return access_key_id

    def list(self) -> list[AccessKey]:
        """All keys there ever were, the oldest first."""
        rows = self._journal.rows("SELECT * FROM access_keys ORDER BY created, rowid")
        return [
            AccessKey(
                row["id"],
                row["name"],
                row["database_user"],
                datetime.fromtimestamp(row["created"], UTC),
                _time(row["last_used"]),
                _time(row["revoked"]),
            )
            for row in rows
        ]

    def revoke(self, access_key_id: str) -> None:
        """End a key and all temporary credentials that came from it, for good; its secret is forgotten.

        UnknownAccessKey when there is none, or it was revoked before.
        """
        with self._journal.transaction() as connection:
            changed = connection.execute(
                "UPDATE access_keys SET revoked = ?, secret = NULL WHERE id = ? AND revoked IS NULL",
                (time.time(), access_key_id),
            )
        if not changed.rowcount:
            raise UnknownAccessKey(f'"{access_key_id[:100]}" is no access key, or was revoked before')
        self._read()

    def first(self) -> Credentials:
        """The oldest key that was not revoked; UnknownAccessKey when all were."""
        self._read()
        credentials = next(iter(self._live.values()), None)
        if credentials is None:
            raise UnknownAccessKey("all access keys were revoked", hint="Make one: restframe keys create NAME")
        return credentials

    def get(self, access_key_id: str) -> Credentials:
        """For a request that was signed with this key; UnknownAccessKey when it must not come in."""
        credentials = self._find(access_key_id)
        if credentials is None:
            raise UnknownAccessKey("The security token included in the request is invalid.")
        self._note_use(access_key_id)
        return credentials

    def _find(self, access_key_id: str) -> Credentials | None:
        """From memory nearly always."""
        self._read(_FRESH_S)
        if access_key_id not in self._live:
            self._read(_UNKNOWN_FRESH_S)
        return self._live.get(access_key_id)

    def _read(self, fresh_s: float = 0) -> None:
        """Know the keys as they are, or were `fresh_s` ago."""
        if fresh_s and time.monotonic() - self._read_at < fresh_s:
            return
        with self._lock:
            now = time.monotonic()
            rows = self._journal.rows("SELECT * FROM access_keys WHERE revoked IS NULL ORDER BY created, rowid")
            self._live = {row["id"]: self._live.get(row["id"]) or self._credentials(row) for row in rows}
            self._read_at = now

    def _credentials(self, row: sqlite3.Row) -> Credentials:
        settings = self._settings
        return Credentials(
            row["id"],
            self._vault.decrypt(row["secret"], _sealed_as(row["id"])).decode(),
            holder(settings.account_id, settings.role, row["name"], row["database_user"], row["id"]),
        )

    def _note_use(self, access_key_id: str) -> None:
        now = time.time()
        if now - self._use_noted.get(access_key_id, 0) < _USE_NOTED_S:
            return
        self._use_noted[access_key_id] = now
        try:
            with self._journal.transaction() as connection:
                connection.execute("UPDATE access_keys SET last_used = ? WHERE id = ?", (now, access_key_id))
        except errors.OperationalError as error:  # a full disk must not keep anybody from reading
            logger.warning("the last use of an access key was not noted: %s", error.message)


def new_id(prefix: str) -> str:
    """20 letters and digits."""
    return prefix + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))


def new_secret() -> str:
    """40 letters and digits: nothing that a shell or a URL would read as its own."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))


def _sealed_as(access_key_id: str) -> str:
    return f"access key {access_key_id}"


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
