"""The one object through which doors learn who somebody is."""

from __future__ import annotations

import functools
import hmac
import re
from datetime import datetime

from restframe import errors
from restframe.identity import tokens
from restframe.identity.keys import SESSION_NAME, AccessKeys, UnknownAccessKey
from restframe.identity.passwords import DatabasePasswords
from restframe.identity.principal import Credentials, Principal, holder
from restframe.identity.roles import Roles
from restframe.identity.secrets import Secrets
from restframe.identity.throttle import Throttle
from restframe.identity.vault import Vault
from restframe.identity.verifiers import Verifiers
from restframe.journal import Journal
from restframe.settings import Settings

_ACCOUNT = re.compile(r"[0-9]{12}")
_ROLE = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


class Identity:
    """Access keys and secrets of one warehouse directory. Usable from any thread.

    The first one made in a directory makes the master key, an access key and the superuser's password.
    """

    def __init__(self, journal: Journal, settings: Settings) -> None:
        if not _ACCOUNT.fullmatch(settings.account_id):
            raise errors.InterfaceError(f'"{settings.account_id[:100]}" is no account_id: it has twelve digits')
        if not _ROLE.fullmatch(settings.role):
            raise errors.InterfaceError(
                f'"{settings.role[:100]}" is no role', hint="Take up to 64 letters, digits and characters of _+=,.@-"
            )
        self.vault = Vault(journal, settings.directory / "master.key")
        self.keys = AccessKeys(journal, self.vault, settings)
        self.secrets = Secrets(journal, self.vault)
        self.roles = Roles(journal, settings.role)
        self.throttle = Throttle()
        self._passwords = DatabasePasswords(journal, self.vault)
        self._superuser = settings.user

    def credentials(self, access_key_id: str, session_token: str | None = None) -> Credentials:
        """What a request that names this key must be signed with, and who sent it then.

        UnknownAccessKey, InvalidToken, ExpiredToken.
        """
        if not session_token:
            return self.keys.get(access_key_id)
        credentials = tokens.read(self.vault, access_key_id, session_token)
        try:
            self.keys.get(credentials.principal.access_key)
        except UnknownAccessKey as error:
            raise tokens.InvalidToken(error.message) from error
        return credentials

    def issue(
        self,
        principal: Principal,
        duration_s: int,
        role: str | None = None,
        session_name: str | None = None,
        account: str | None = None,
    ) -> Credentials:
        """Temporary credentials: of the principal itself, or of a role it takes, which keeps its database user.

        InvalidParameterValue for names that fit in no ARN.
        """
        account, role = account or principal.account, role or principal.role
        session_name = session_name or principal.session_name
        for name, pattern in ((account, _ACCOUNT), (role, _ROLE), (session_name, SESSION_NAME)):
            if not pattern.fullmatch(name):
                raise errors.InvalidParameterValue(f'"{name[:100]}" cannot stand in an ARN')
        taker = holder(account, role, session_name, principal.database_user, principal.access_key)
        return tokens.issue(self.vault, taker, duration_s)

    @property
    def master_password(self) -> str:
        """With which the superuser may always log in to the database."""
        return self._passwords.master

    @functools.cached_property
    def master_verifiers(self) -> Verifiers:
        """Of the master password; other ones at each start."""
        return Verifiers.of(self._superuser, self.master_password)

    def database_password(self, user: str, duration_s: int) -> tuple[str, datetime]:
        """A password with which a database user may log in for some time, and when that ends."""
        return self._passwords.temporary(user, duration_s)

    def own_verifiers(self, user: str, stored: str | None) -> Verifiers | None:
        """Of a database user's own password, None when there is none: as stored, or the superuser's master password."""
        if stored is not None:
            return Verifiers.read(stored)
        return self.master_verifiers if user == self._superuser else None

    def check_temporary_password(self, user: str, password: str) -> bool:
        """Whether `database_password` gave it out for this user, and it is good still."""
        return self._passwords.check(user, password)

    def check_database_password(self, user: str, password: str) -> bool:
        """Whether it lets a user in who has set no password: a temporary one, or the superuser's master password."""
        given = password.encode("utf-8", "surrogatepass")
        is_master = hmac.compare_digest(given, self.master_password.encode()) and user == self._superuser
        return is_master or self.check_temporary_password(user, password)
