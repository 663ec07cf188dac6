"""Temporary credentials, remembered by nobody: the session token itself says who may sign, with what, and how long.

A token is encrypted with the directory's key; it outlives restarts, and ends with the access key it came from.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from datetime import UTC, datetime

from restframe import errors
from restframe.identity.keys import new_id, new_secret
from restframe.identity.principal import Credentials, Principal, holder
from restframe.identity.vault import DecryptionFailed, Vault

_SEALED_AS = "session token 1"  # another number when the content changes
_LONGEST = 2048


class InvalidToken(errors.Error):
    """Not one of our session tokens, or not one of this access key."""

    sqlstate = "28000"


class ExpiredToken(errors.Error):
    sqlstate = "28000"


def issue(vault: Vault, principal: Principal, duration_s: int) -> Credentials:
    """Credentials of a principal for some time; the token has at most 1 kB."""
    access_key_id, secret = new_id("ASIA"), new_secret()
    expires = int(time.time()) + duration_s
    content = [
        access_key_id,
        secret,
        expires,
        principal.account,
        principal.role,
        principal.session_name,
        principal.database_user,
        principal.access_key,
    ]
    sealed = vault.encrypt(json.dumps(content, separators=(",", ":")).encode(), _SEALED_AS)
    token = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    return Credentials(access_key_id, secret, principal, token, datetime.fromtimestamp(expires, UTC))


def read(vault: Vault, access_key_id: str, token: str) -> Credentials:
    """What `issue` gave; whether the access key behind it is still alive is for the caller to ask.

    InvalidToken when it is not ours or not this key's, ExpiredToken when its time is over.
    """
    try:
        if len(token) > _LONGEST:
            raise InvalidToken(_INVALID)
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        content = json.loads(vault.decrypt(sealed, _SEALED_AS))
    except (DecryptionFailed, binascii.Error, ValueError) as error:
        raise InvalidToken(_INVALID) from error
    issued_to, secret, expires, account, role, session_name, database_user, access_key = content
    if issued_to != access_key_id:
        raise InvalidToken(_INVALID)
    if time.time() >= expires:
        raise ExpiredToken("The security token included in the request is expired")
    principal = holder(account, role, session_name, database_user, access_key)
    return Credentials(issued_to, secret, principal, token, datetime.fromtimestamp(expires, UTC))


_INVALID = "The security token included in the request is invalid."
