"""What Amazon's own drivers are told beyond PostgreSQL's protocol: at the start of a conversation, by parameters.

They name themselves by `client_protocol_version`. What each parameter does stands in the drivers' sources:
https://github.com/aws/amazon-redshift-python-driver, https://github.com/aws/amazon-redshift-jdbc-driver
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NEWEST_PROTOCOL = 2

# From which versions on a driver knows the digest of passwords. Those of unknown makers are better asked for md5.
_KNOW_DIGEST = {"Python": (2, 0, 905), "JDBC": (2, 1, 0, 2)}
_DRIVER = re.compile(r"Redshift (Python|JDBC) Driver (\d{1,6}(?:\.\d{1,6}){1,5})")


def protocol_version(startup: Mapping[str, str]) -> int | None:
    """The version of Redshift's protocol that a conversation speaks: 0, 1 or 2; None for every other client.

    1 describes columns at more length, 2 sends numbers, dates, times and arrays in binary.
    """
    wanted = startup.get("client_protocol_version")
    if wanted is None:
        return None
    return min(int(wanted), NEWEST_PROTOCOL) if re.fullmatch(r"\d{1,9}", wanted, re.ASCII) else 0


def parameter_statuses(startup: Mapping[str, str]) -> dict[str, str]:
    """What to report at the start besides, or instead of, what every client is told; nothing to PostgreSQL's own.

    server_version : PostgreSQL's from which Redshift came; drivers decide by it which tags count rows
    show_discovery : metadata comes by SHOW statements; 5 has those of a whole database at once
    datashare_enabled, external_database : off, so a driver lists one database
    """
    version = protocol_version(startup)
    if version is None:
        return {}
    return {
        "server_version": "8.0.2",
        "server_protocol_version": str(version),
        "show_discovery": "5",
        "datashare_enabled": "off",
        "external_database": "off",
    }


def knows_digest(startup: Mapping[str, str]) -> bool:
    """Whether this driver is one that can answer a request for the digest of a password."""
    named = _DRIVER.search(startup.get("driver_version", "")[:200])
    return named is not None and tuple(map(int, named[2].split("."))) >= _KNOW_DIGEST[named[1]]
