"""What is kept of a database user's password: enough to recognise who knows it, too little to log in with.

A text holds up to three verifiers with blanks between, so that every client finds one it can prove itself against:

    SCRAM-SHA-256$4096:salt$stored key:server key    in base64, as PostgreSQL writes it
    SHA-256$salt$digest                              in hexadecimal, of Redshift's own drivers
    md5f6fdffe48c908deb0f4c3bd36c032e72              as PostgreSQL has always written it
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from restframe.identity.saslprep import saslprep

ITERATIONS = 4096  # PostgreSQL's own number; clients compute as many at every login
SCRAM_SALT_BYTES = 16
DIGEST_SALT_BYTES = 32

_MD5 = re.compile(r"md5([0-9a-f]{32})", re.IGNORECASE)
_DIGEST = re.compile(r"sha256\|([0-9a-f]{64})\|([0-9a-f]{64})", re.IGNORECASE)
_TO_HASH = "sha256|"


@dataclass(frozen=True, slots=True)
class Scram:
    """Of SCRAM-SHA-256: https://www.rfc-editor.org/rfc/rfc5802, section 3."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def of(cls, password: str, salt: bytes, iterations: int = ITERATIONS) -> Scram:
        salted = hashlib.pbkdf2_hmac("sha256", _bytes(saslprep(password)), salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        return cls(salt, iterations, hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256"))


@dataclass(frozen=True, slots=True)
class Digest:
    """digest : SHA256(password + salt)"""

    salt: bytes
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, password: str, salt: bytes) -> Digest:
        return cls(salt, hashlib.sha256(_bytes(password) + salt).digest())


@dataclass(frozen=True, slots=True)
class Verifiers:
    """md5 : 32 hexadecimal digits, of the password followed by the user's name"""

    scram: Scram | None = None
    digest: Digest | None = None
    md5: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, user: str, password: str) -> Verifiers:
        """Of a password as CREATE USER takes it: in clear, `sha256|` and then in clear, or hashed already.

        Hashed is `md5` with 32 digits of md5(password + user), or `sha256|`, 64 digits of sha256(password + salt), `|`
        and 64 digits of the salt. https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
        """
        if hashed := _MD5.fullmatch(password):
            return cls(md5=hashed[1].lower())
        if hashed := _DIGEST.fullmatch(password):
            return cls(digest=Digest(bytes.fromhex(hashed[2]), bytes.fromhex(hashed[1])))
        weak = not password.startswith(_TO_HASH)
        password = password.removeprefix(_TO_HASH)
        return cls(
            Scram.of(password, secrets.token_bytes(SCRAM_SALT_BYTES)),
            Digest.of(password, secrets.token_bytes(DIGEST_SALT_BYTES)),
            _md5(user, password) if weak else None,
        )

    @classmethod
    def read(cls, text: str) -> Verifiers:
        """What `text` wrote. ValueError for any other text."""
        scram, digest, md5 = None, None, None
        for piece in text.split():
            kind, _, rest = piece.partition("$")
            if kind == "SCRAM-SHA-256":
                of_salt, _, of_keys = rest.partition("$")
                iterations, _, salt = of_salt.partition(":")
                stored, server = (base64.b64decode(key, validate=True) for key in of_keys.split(":"))
                scram = Scram(base64.b64decode(salt, validate=True), int(iterations), stored, server)
            elif kind == "SHA-256":
                salted, value = (bytes.fromhex(part) for part in rest.split("$"))
                digest = Digest(salted, value)
            elif found := _MD5.fullmatch(piece):
                md5 = found[1]
            else:
                raise ValueError("a verifier of an unknown kind")
        return cls(scram, digest, md5)

    @property
    def text(self) -> str:
        """To be stored."""
        pieces = []
        if self.scram is not None:
            salt, stored, server = (
                base64.b64encode(value).decode()
                for value in (self.scram.salt, self.scram.stored_key, self.scram.server_key)
            )
            pieces.append(f"SCRAM-SHA-256${self.scram.iterations}:{salt}${stored}:{server}")
        if self.digest is not None:
            pieces.append(f"SHA-256${self.digest.salt.hex()}${self.digest.digest.hex()}")
        if self.md5 is not None:
            pieces.append(f"md5{self.md5}")
        return " ".join(pieces)

    def renamed(self) -> Verifiers | None:
        """What stays good under another user name, which md5 hashes with the password; None when nothing does."""
        kept = Verifiers(self.scram, self.digest)
        return kept if kept.text else None

    def check(self, user: str, password: str) -> bool:
        """Whether this is the password, in a time that does not depend on how much of it is right."""
        if self.scram is not None:
            given = Scram.of(password, self.scram.salt, self.scram.iterations)
            return hmac.compare_digest(given.stored_key, self.scram.stored_key)
        if self.digest is not None:
            return hmac.compare_digest(Digest.of(password, self.digest.salt).digest, self.digest.digest)
        return self.md5 is not None and hmac.compare_digest(_md5(user, password), self.md5)


def _md5(user: str, password: str) -> str:
    return hashlib.md5(_bytes(password) + _bytes(user), usedforsecurity=False).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
