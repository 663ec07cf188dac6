"""Who may come in, as whom, and what is kept secret.

keys.py holds access keys, tokens.py temporary credentials, passwords.py those of the database, secrets.py what users
entrust to us, roles.py what roles there are; vault.py encrypts all of it with a key of this directory's own.
verifiers.py is what is kept of passwords that are set in SQL, throttle.py makes guessing them slow.
"""

from restframe.identity.identity import Identity
from restframe.identity.keys import AccessKey, UnknownAccessKey
from restframe.identity.principal import Credentials, Principal
from restframe.identity.tokens import ExpiredToken, InvalidToken

__all__ = [
    "AccessKey",
    "Credentials",
    "ExpiredToken",
    "Identity",
    "InvalidToken",
    "Principal",
    "UnknownAccessKey",
]
