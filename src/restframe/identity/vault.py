"""master.key: with it everything secret in the directory is encrypted.

The file is 32 random bytes, made at the first start and never again. The journal remembers something encrypted with it,
so that another key, or none, is noticed at the start and not at the first secret.
"""

from __future__ import annotations

import errno
import hmac
import os
import stat
from pathlib import Path

from restframe import errors
from restframe.journal import Journal

_MIGRATIONS = ("CREATE TABLE vault (id INTEGER PRIMARY KEY CHECK (id = 1), probe BLOB NOT NULL) STRICT",)

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"
_PROBE = b"restframe"


class DecryptionFailed(errors.InternalError):
    """The bytes are damaged, or were encrypted under another name or with another key."""


class Vault:
    """Encrypts and decrypts with the key of a directory: AES-256-GCM. Usable from any thread.

    Nonces are random, which is sound for 2^32 encryptions.
    """

    def __init__(self, journal: Journal, path: Path) -> None:
        """OperationalError when the key is missing though something was encrypted with it, is another one, is
        damaged, or can be read by others."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        journal.migrate("vault", _MIGRATIONS)
        # the transaction also keeps two processes from making two keys
        with journal.transaction() as connection:
            row = connection.execute("SELECT probe FROM vault").fetchone()
            if row is None and not path.exists():
                _create(path)
            self._key = _read(path)
            self._cipher = AESGCM(self.derive("encryption"))
            if row is None:
                connection.execute("INSERT INTO vault VALUES (1, ?)", (self.encrypt(_PROBE, "probe"),))
            else:
                self._check(row["probe"], path)

    def _check(self, probe: bytes, path: Path) -> None:
        try:
            self.decrypt(probe, "probe")
        except DecryptionFailed as error:
            raise errors.OperationalError(
                f"{path.name} is not the key that this directory's secrets were encrypted with", hint=_RESTORE
            ) from error

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose alone, always the same."""
        return hmac.digest(self._key, f"restframe {purpose}".encode(), "sha256")

    def encrypt(self, plaintext: bytes, name: str) -> bytes:
        """The plaintext, readable under the same name only: ciphertexts cannot change places. 29 bytes longer."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plaintext, name.encode())

    def decrypt(self, ciphertext: bytes, name: str) -> bytes:
        """DecryptionFailed when this is not what `encrypt` made under this name."""
        from cryptography.exceptions import InvalidTag

        nonce, rest = ciphertext[1 : 1 + _NONCE_BYTES], ciphertext[1 + _NONCE_BYTES :]
        if ciphertext[:1] != _VERSION or len(nonce) < _NONCE_BYTES:
            raise DecryptionFailed("the ciphertext is damaged")
        try:
            return self._cipher.decrypt(nonce, rest, name.encode())
        except InvalidTag as error:
            raise DecryptionFailed("the ciphertext is damaged, or belongs elsewhere") from error


_RESTORE = "Put the file back from a backup of the directory; without it keys and secrets cannot be read."


def _create(path: Path) -> None:
    """A new key, on the disk when this returns; under its name only when whole."""
    staged = path.with_name(f".{path.name}-{os.urandom(8).hex()}")
    try:
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, os.urandom(_KEY_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        staged.replace(path)
        _sync(path.parent)
    except OSError as error:
        staged.unlink(missing_ok=True)
        kind = errors.DiskFull if error.errno == errno.ENOSPC else errors.OperationalError
        raise kind(f"{path.name} cannot be made: {error.strerror}") from error


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(_KEY_BYTES + 1)
    except FileNotFoundError as error:
        raise errors.OperationalError(
            f"{path.name} is missing, and this directory's secrets were encrypted with it", hint=_RESTORE
        ) from error
    except OSError as error:
        raise errors.OperationalError(f"{path.name} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise errors.OperationalError(
            f"{path.name} can be read by others", hint=f"Make it its owner's alone: chmod 600 {path.name}"
        )
    if len(key) != _KEY_BYTES:
        raise errors.OperationalError(f"{path.name} is damaged: it does not have {_KEY_BYTES} bytes", hint=_RESTORE)
    return key
