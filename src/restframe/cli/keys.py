"""`restframe keys`."""

from __future__ import annotations

import argparse

from restframe.cli import identity
from restframe.cli.listing import local_time, print_facts, print_json, print_list, simple


def create(given: argparse.Namespace) -> int:
    with identity.opened(given.directory) as found:
        credentials = found.keys.create(given.name, given.database_user)
    if given.json:
        print_json({"AccessKeyId": credentials.access_key_id, "SecretAccessKey": credentials.secret_access_key})
    else:
        print_facts(
            [
                ("access key", credentials.access_key_id),
                ("secret key", credentials.secret_access_key),
                ("database user", credentials.principal.database_user),
            ]
        )
    return 0


def show_all(given: argparse.Namespace) -> int:
    with identity.opened(given.directory) as found:
        keys = found.keys.list()
    if given.json:
        print_json([simple(key) for key in keys])
        return 0
    rows = [
        (
            key.id,
            key.name,
            key.database_user,
            local_time(key.created),
            local_time(key.last_used) if key.last_used else "never",
            f"revoked {local_time(key.revoked)}" if key.revoked else "valid",
        )
        for key in keys
    ]
    print_list(("access key", "name", "database user", "created", "last used", "state"), rows)
    return 0


def revoke(given: argparse.Namespace) -> int:
    with identity.opened(given.directory) as found:
        found.keys.revoke(given.id)
    print(f"Access key {given.id} is revoked")
    return 0
