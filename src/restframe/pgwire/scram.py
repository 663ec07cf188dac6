"""The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, without I/O.

https://www.rfc-editor.org/rfc/rfc5802 and rfc7677; in PostgreSQL's messages:
https://www.postgresql.org/docs/current/sasl-authentication.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Generator

from restframe import errors
from restframe.errors import ProtocolViolation
from restframe.identity.verifiers import Scram

PLAIN, PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
_BINDING = "tls-server-end-point"

# gs2 header, then the message without it; no authorization identity, no extensions we would have to know
_FIRST = re.compile(
    r"(?P<header>(?:n|y|p=(?P<binding>[A-Za-z0-9.-]+)),,)(?P<bare>n=[^,]*,r=(?P<nonce>[!-+\--~]+)(?:,.*)?)"
)
_FINAL = re.compile(
    r"(?P<bare>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)(?:,[a-z]=[^,]*)*),p=(?P<proof>[A-Za-z0-9+/=]+)"
)


def exchange(
    verifier: Scram, mechanism: str, first_message: str, certificate_hash: bytes | None
) -> Generator[str, str, tuple[str, bool]]:
    """Yields the server's first message, is sent the client's last; returns the server's last and whether all is right.

    certificate_hash : of the TLS connection's certificate, for `tls-server-end-point`; None where it is not offered

    ProtocolViolation for messages that are no SCRAM, InvalidAuthorization where the binding is not this connection's.
    """
    first = _read(_FIRST, first_message)
    _check_binding(first, mechanism, certificate_hash)
    nonce = first["nonce"] + base64.b64encode(secrets.token_bytes(18)).decode()
    server_first = f"r={nonce},s={base64.b64encode(verifier.salt).decode()},i={verifier.iterations}"
    final = _read(_FINAL, (yield server_first))
    bound = first["header"].encode() + (certificate_hash or b"" if mechanism == PLUS else b"")
    if _decoded(final["binding"]) != bound:
        raise errors.InvalidAuthorization("SCRAM channel binding check failed")
    if final["nonce"] != nonce:
        raise ProtocolViolation("malformed SCRAM message", detail="Nonce does not match.")
    message = f"{first['bare']},{server_first},{final['bare']}".encode()
    signature = hmac.digest(verifier.stored_key, message, "sha256")
    proof = _decoded(final["proof"])
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=False))
    right = len(proof) == len(signature) and hmac.compare_digest(
        hashlib.sha256(client_key).digest(), verifier.stored_key
    )
    server_signature = hmac.digest(verifier.server_key, message, "sha256")
    return f"v={base64.b64encode(server_signature).decode()}", right


def _check_binding(first: re.Match[str], mechanism: str, certificate_hash: bytes | None) -> None:
    flag = first["header"][0]
    if (flag == "p") != (mechanism == PLUS) or (flag == "p" and first["binding"] != _BINDING):
        raise ProtocolViolation("malformed SCRAM message", detail="The channel binding does not fit the mechanism.")
    if flag == "y" and certificate_hash is not None:
        # The client could have bound and was not told that we can: somebody between us took it out.
        raise errors.InvalidAuthorization("SCRAM channel binding negotiation error")


def _read(pattern: re.Pattern[str], message: str) -> re.Match[str]:
    found = pattern.fullmatch(message)
    if found is None:
        raise ProtocolViolation("malformed SCRAM message")
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolViolation("malformed SCRAM message") from error
