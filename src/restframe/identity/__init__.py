"""Who may come in, as whom, and what is kept secret.

keys.py holds access keys, tokens.py temporary credentials, secrets.py what users entrust to us; vault.py encrypts all of
it with a key of this directory's own.
"""

from restframe.identity.identity import Credentials, Identity, Principal

__all__ = ["Credentials", "Identity", "Principal"]
