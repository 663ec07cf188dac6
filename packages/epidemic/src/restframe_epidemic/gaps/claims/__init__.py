"""Claims: their tables, a loader of real ones, and a generator of made-up ones with known effects."""

from __future__ import annotations

from importlib import resources


def schema() -> str:
    """The tables' DDL in Redshift SQL; running it again changes nothing."""
    return resources.files(__name__).joinpath("schema.sql").read_text()
