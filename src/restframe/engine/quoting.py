"""Names and texts inside the SQL that restframe itself writes for an engine."""

from __future__ import annotations


def quoted(*parts: str) -> str:
    """An identifier, or several joined by dots: `"public"."t"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """A text constant, for the places in DDL where an engine takes no parameter."""
    return "'" + text.replace("'", "''") + "'"
