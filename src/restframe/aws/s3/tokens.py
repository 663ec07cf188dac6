"""Continuation tokens: where a listing goes on, so that nothing need be remembered between its pages."""

from __future__ import annotations

import base64
import binascii

from restframe.aws.errors import AwsError


def write(after: str) -> str:
    return base64.urlsafe_b64encode(b"1" + after.encode()).decode()


def read(token: str | None) -> str:
    """What `write` was given; nothing when there is no token."""
    if token is None:
        return ""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        if raw[:1] == b"1":
            return raw[1:].decode()
    except (binascii.Error, ValueError):
        pass
    message = "The continuation token provided is incorrect"
    raise AwsError("InvalidArgument", message, 400, ArgumentName="continuation-token")
