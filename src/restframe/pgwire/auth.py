"""Who connects: the exchange between the start-up message and AuthenticationOk, without I/O.

| client | is asked for |
|---|---|
| a user name with IAM:, IAMA: or IAMR: before it, as GetClusterCredentials gives | a temporary password, in clear |
| Redshift's own drivers (`client_protocol_version`) | the password's digest (13) where the driver knows it, or md5 |
| everybody else | SCRAM-SHA-256, over TLS with channel binding where the client wants it |

Where a user's verifiers do not allow that, because the password was given as a hash, what they do allow is asked for.
A password in clear is asked for over TLS or from this machine only. None of it tells whether a user exists.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import struct
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Protocol

from restframe import errors
from restframe.catalog.users import User
from restframe.errors import ProtocolViolation
from restframe.identity import Identity
from restframe.identity.verifiers import DIGEST_SALT_BYTES, ITERATIONS, SCRAM_SALT_BYTES, Digest, Scram, Verifiers
from restframe.pgwire import redshift, scram
from restframe.pgwire.messages import AUTHENTICATION_OK, Message, build, read_string, text
from restframe.settings import Settings
from restframe.sql.lexer import folded


class Logins(Protocol):
    """What is asked of a Warehouse: its database's name, and its users as they are committed."""

    settings: Settings

    def login(self, name: str) -> User | None: ...


class Wait(NamedTuple):
    """Yielded where the exchange is to rest before it goes on; it is resumed with None."""

    seconds: float


Exchange = Generator[bytes | Wait, Message | None, User]
# Asks for a proof; whether it is right, and the server's own, which goes before AuthenticationOk.
Proof = Generator[bytes, Message | None, tuple[bool, bytes]]
Method = Literal["clear", "md5", "digest", "scram"]

_CLEAR, _MD5, _SASL, _SASL_CONTINUE, _SASL_FINAL, _DIGEST = 3, 5, 10, 11, 12, 13
_SHA256 = 0  # among the digest's algorithms
_NONCE_BYTES = 32
_TEMPORARY = re.compile(r"IAM[AR]?:")


def login(
    startup: Mapping[str, str],
    warehouse: Logins,
    identity: Identity,
    secure: bool,
    address: str,
    *,
    certificate_hash: bytes | None = None,
) -> Exchange:
    """Yields messages to send, is sent the client's answer to each; returns who it is, after AuthenticationOk.

    An empty message is no message: only another answer is wanted. Wait says to rest, and takes None.
    secure : whether the connection is under TLS
    address : of the client, without its port; empty for a socket of this machine
    certificate_hash : SHA-256 of the server's certificate where TLS has one to bind to

    InvalidPassword 28P01, InvalidAuthorization 28000, UndefinedDatabase 3D000, ProtocolViolation 08P01: the
    conversation ends with them.
    """
    given = _user_name(startup)
    name = folded(_TEMPORARY.sub("", given, count=1))
    user = warehouse.login(name)
    temporary = _TEMPORARY.match(given) is not None
    own = None if user is None else identity.own_verifiers(user.name, user.verifiers)
    verifiers = own or _pretended(name, identity)
    method: Method = "clear" if temporary else _method(startup, verifiers)
    if method == "clear" and not (secure or _is_local(address)):
        raise errors.InvalidAuthorization(
            "a password in clear is not taken over a connection without TLS", hint="Connect with sslmode=require."
        )
    if method == "clear":
        password, last = read_string((yield from _ask(_request(_CLEAR)))), b""
        check = identity.check_temporary_password if temporary else verifiers.check
        right = check(name, password)
    else:
        right, last = yield from _proof(method, verifiers, certificate_hash)
    delay_s = identity.throttle.attempt(address, name)
    if delay_s:
        yield Wait(delay_s)
    if user is None or not right:
        raise errors.InvalidPassword(f'password authentication failed for user "{given[:100]}"')
    identity.throttle.succeeded(address, name)
    _check(user, startup, warehouse, temporary=temporary)
    yield last + AUTHENTICATION_OK
    return user


def _user_name(startup: Mapping[str, str]) -> str:
    if any(name in startup for name in ("idp_type", "provider_name", "identity_namespace")):
        raise errors.InvalidAuthorization(
            "tokens of identity providers are not supported",
            hint="Log in with a database user's name and password, or with temporary credentials (IAM).",
        )
    name = startup.get("user", "")
    if not name:
        raise errors.InvalidAuthorization("no user name was given in the start-up message")
    return name


def _is_local(address: str) -> bool:
    """Whether the client is on this machine, where nobody reads along."""
    if not address:
        return True
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(known, "ipv4_mapped", None) or known).is_loopback


def _pretended(name: str, identity: Identity) -> Verifiers:
    """For somebody who does not exist or has no password: nothing fits them, and they stay the same, as a user's do."""
    key = identity.vault.derive("password verifiers of nobody")

    def made(of: str) -> bytes:
        return hmac.digest(key, f"{of} {name}".encode("utf-8", "surrogatepass"), "sha256")

    return Verifiers(
        Scram(made("scram salt")[:SCRAM_SALT_BYTES], ITERATIONS, made("stored key"), made("server key")),
        Digest(made("digest salt")[:DIGEST_SALT_BYTES], made("digest")),
        made("md5").hex()[:32],
    )


def _method(startup: Mapping[str, str], verifiers: Verifiers) -> Method:
    """The best that both sides can do."""
    methods: list[tuple[Method, object]] = [("md5", verifiers.md5)]
    if redshift.protocol_version(startup) is None:
        methods.insert(0, ("scram", verifiers.scram))
    elif redshift.knows_digest(startup):
        methods.insert(0, ("digest", verifiers.digest))
    return next((method for method, verifier in methods if verifier is not None), "clear")


def _proof(method: Method, verifiers: Verifiers, certificate_hash: bytes | None) -> Proof:
    if method == "scram" and verifiers.scram is not None:
        return _scram(verifiers.scram, certificate_hash)
    if method == "digest" and verifiers.digest is not None:
        return _digest(verifiers.digest)
    assert verifiers.md5 is not None
    return _md5(verifiers.md5)


def _md5(verifier: str) -> Proof:
    salt = secrets.token_bytes(4)
    expected = "md5" + hashlib.md5(verifier.encode() + salt, usedforsecurity=False).hexdigest()
    given = read_string((yield from _ask(_request(_MD5, salt))))
    return hmac.compare_digest(given.encode(), expected.encode()), b""


def _digest(verifier: Digest) -> Proof:
    """SHA256(SHA256(password + salt) + our nonce + the client's nonce), as Redshift's drivers make it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    request = struct.pack(">ii", _SHA256, len(verifier.salt)) + verifier.salt + struct.pack(">i", len(nonce)) + nonce
    body = yield from _ask(_request(_DIGEST, request), b"d")
    given, rest = _counted(body)
    client_nonce, rest = _counted(rest)
    if rest:
        raise ProtocolViolation("invalid message format")
    return hmac.compare_digest(given, hashlib.sha256(verifier.digest + nonce + client_nonce).digest()), b""


def _scram(verifier: Scram, certificate_hash: bytes | None) -> Proof:
    mechanisms = [scram.PLAIN] if certificate_hash is None else [scram.PLUS, scram.PLAIN]
    body = yield from _ask(_request(_SASL, b"".join(f"{name}\0".encode() for name in mechanisms) + b"\0"))
    chosen, _, rest = body.partition(b"\0")
    mechanism = next((name for name in mechanisms if name.encode() == chosen), None)
    if mechanism is None:
        raise ProtocolViolation("client selected an invalid SASL authentication mechanism")
    first, rest = _counted(rest)
    if rest:
        raise ProtocolViolation("invalid message format")
    exchange = scram.exchange(verifier, mechanism, text(first), certificate_hash)
    final = yield from _ask(_request(_SASL_CONTINUE, next(exchange).encode()))
    try:
        exchange.send(text(final))
    except StopIteration as end:
        last, right = end.value
    return right, _request(_SASL_FINAL, last.encode())


# Afterwards


def _check(user: User, startup: Mapping[str, str], warehouse: Logins, *, temporary: bool) -> None:
    """What is said only to who has proven to be the user."""
    database = startup.get("database") or startup["user"]
    if user.valid_until is not None and user.valid_until <= datetime.now(UTC).replace(tzinfo=None) and not temporary:
        raise errors.InvalidPassword(f'the password of user "{user.name}" has expired')
    if database.lower() != warehouse.settings.database.lower():
        raise errors.UndefinedDatabase(f'database "{database[:100]}" does not exist')


# Messages


def _request(code: int, content: bytes = b"") -> bytes:
    """An Authentication message of the server."""
    return build(b"R", struct.pack(">i", code) + content)


def _ask(message: bytes, kind: bytes = b"p") -> Generator[bytes, Message | None, bytes]:
    """Send a request; the body of the answer. Redshift's drivers may say Flush in between, which asks for nothing."""
    answer = yield message
    while answer is not None and answer.type == ord("H"):
        answer = yield b""
    if answer is None or answer.type != ord(kind):
        raise ProtocolViolation("expected a password and got another message")
    return answer.body


def _counted(body: bytes) -> tuple[bytes, bytes]:
    """Bytes behind their number, and what follows them."""
    length = int.from_bytes(body[:4], "big", signed=True)
    if len(body) < 4 or not 0 <= length <= len(body) - 4:
        raise ProtocolViolation("insufficient data left in message")
    return body[4 : 4 + length], body[4 + length :]
