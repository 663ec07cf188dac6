"""The one object through which doors learn who somebody is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from restframe.journal import Journal
from restframe.settings import Settings


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may use the AWS APIs.

    account : twelve digits
    arn : `arn:aws:sts::<account>:assumed-role/<role>/<session name>`, what GetCallerIdentity answers
    role : the name of the role, which iam GetRole knows
    database_user : whose rights the statements of this principal have
    """

    account: str
    arn: str
    user_id: str
    role: str
    database_user: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with. session_token and expires only for temporary ones."""

    access_key_id: str
    secret_access_key: str
    principal: Principal
    session_token: str | None = None
    expires: datetime | None = None


class Identity:
    """Access keys and secrets of one warehouse directory. Usable from any thread."""

    def __init__(self, journal: Journal, settings: Settings) -> None:
        self._journal = journal
        self._settings = settings
