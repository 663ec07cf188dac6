"""Who somebody is, and what they sign with."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may use the AWS APIs.

    account : twelve digits
    arn : `arn:aws:sts::<account>:assumed-role/<role>/<session name>`, what GetCallerIdentity answers
    user_id : `<id of the role>:<session name>`
    role : the name of the role, which iam GetRole knows
    database_user : whose rights the statements of this principal have
    access_key : the permanent key behind it; with it go the temporary credentials
    """

    account: str
    arn: str
    user_id: str
    role: str
    database_user: str
    access_key: str = ""

    @property
    def session_name(self) -> str:
        return self.arn.rpartition("/")[2]


def holder(account: str, role: str, session_name: str, database_user: str, access_key: str) -> Principal:
    """Who has taken a role under a name."""
    return Principal(
        account,
        f"arn:aws:sts::{account}:assumed-role/{role}/{session_name}",
        f"{role_id(account, role)}:{session_name}",
        role,
        database_user,
        access_key,
    )


def role_id(account: str, role: str) -> str:
    """AROA and 17 letters and digits; always the same for a role."""
    digest = hashlib.sha256(f"{account}:{role}".encode()).digest()
    return "AROA" + base64.b32encode(digest).decode()[:17]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with. session_token and expires only for temporary ones."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    principal: Principal
    session_token: str | None = field(default=None, repr=False)
    expires: datetime | None = None
