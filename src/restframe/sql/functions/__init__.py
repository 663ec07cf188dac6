"""Redshift's functions. Importing this package fills the table; what is not in it does not exist."""

from __future__ import annotations

from restframe.sql.functions import (
    aggregates,
    calls,
    conditions,
    dates,
    formatting,
    hashes,
    numbers,
    reading,
    regular_expressions,
    semistructured,
    system,
    texts,
    varbytes,
)
from restframe.sql.functions.registry import FUNCTIONS

__all__ = [
    "FUNCTIONS",
    "aggregates",
    "calls",
    "conditions",
    "dates",
    "formatting",
    "hashes",
    "numbers",
    "reading",
    "regular_expressions",
    "semistructured",
    "system",
    "texts",
    "varbytes",
]
