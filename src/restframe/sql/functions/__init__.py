"""Redshift's functions. Importing this package fills the table; what is not in it does not exist."""

from __future__ import annotations

from restframe.sql.functions import (
    aggregates,
    arrays,
    calls,
    catalog,
    conditions,
    dates,
    formatting,
    hashes,
    numbers,
    privileges,
    reading,
    regular_expressions,
    semistructured,
    server,
    system,
    texts,
    varbytes,
)
from restframe.sql.functions.registry import FUNCTIONS

__all__ = [
    "FUNCTIONS",
    "aggregates",
    "arrays",
    "calls",
    "catalog",
    "conditions",
    "dates",
    "formatting",
    "hashes",
    "numbers",
    "privileges",
    "reading",
    "regular_expressions",
    "semistructured",
    "server",
    "system",
    "texts",
    "varbytes",
]
