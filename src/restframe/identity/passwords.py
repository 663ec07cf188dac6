"""Passwords of database users: temporary ones, remembered by nobody, and the superuser's permanent one."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from datetime import UTC, datetime

from restframe.identity.keys import new_secret
from restframe.identity.vault import Vault
from restframe.journal import Journal

_MIGRATIONS = ("CREATE TABLE passwords (user TEXT PRIMARY KEY, password BLOB NOT NULL) STRICT",)

_MASTER = "master"
_EXPIRES_BYTES = 8
_LONGEST = 128


class DatabasePasswords:
    """master : of the superuser; made at the first start"""

    def __init__(self, journal: Journal, vault: Vault) -> None:
        self._key = vault.derive("temporary database password")
        journal.migrate("passwords", _MIGRATIONS)
        with journal.transaction() as connection:
            row = connection.execute("SELECT password FROM passwords WHERE user = ?", (_MASTER,)).fetchone()
            if row is None:
                self.master = "Rf1" + new_secret()  # with all that Redshift asks of a password
                sealed = vault.encrypt(self.master.encode(), "master password")
                connection.execute("INSERT INTO passwords VALUES (?, ?)", (_MASTER, sealed))
            else:
                self.master = vault.decrypt(row["password"], "master password").decode()

    def temporary(self, user: str, duration_s: int) -> tuple[str, datetime]:
        """A password with which a user may log in for some time, and when that ends; 54 characters."""
        expires = int(time.time()) + duration_s
        stamp = expires.to_bytes(_EXPIRES_BYTES, "big")
        password = base64.urlsafe_b64encode(stamp + self._proof(user, stamp)).decode().rstrip("=")
        return password, datetime.fromtimestamp(expires, UTC)

    def check(self, user: str, password: str) -> bool:
        """Whether it is a temporary one that lets this user in now."""
        if len(password) > _LONGEST:
            return False
        given = password.encode("utf-8", "surrogatepass")
        try:
            content = base64.b64decode(given + b"=" * (-len(given) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return False
        stamp, proof = content[:_EXPIRES_BYTES], content[_EXPIRES_BYTES:]
        return hmac.compare_digest(proof, self._proof(user, stamp)) and time.time() < int.from_bytes(stamp, "big")

    def _proof(self, user: str, stamp: bytes) -> bytes:
        return hmac.digest(self._key, stamp + user.encode("utf-8", "surrogatepass"), "sha256")
