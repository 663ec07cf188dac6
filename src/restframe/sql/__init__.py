"""Redshift's SQL: text to statements, and queries to the engine's SQL. The only importer of sqlglot."""

from __future__ import annotations

from restframe.sql.binding import bind_inside, statement_inside
from restframe.sql.catalog_macros import CATALOG_MACROS
from restframe.sql.defaults import translate_default
from restframe.sql.functions.registry import FUNCTIONS
from restframe.sql.lexer import QualifiedName, place_of
from restframe.sql.macros import MACROS
from restframe.sql.named_parameters import FilledText, fill
from restframe.sql.names import ForecastReference, FunctionReference, Names, TableReference
from restframe.sql.parse import parse
from restframe.sql.rewrite.scope import ModelCall
from restframe.sql.statements.query import Delete, Insert, Merge, Query, SelectInto, Update, read_query
from restframe.sql.translate import Translation, translate, translate_prepared
from restframe.sql.units import interval_text

__all__ = [
    "CATALOG_MACROS", "FUNCTIONS", "MACROS", "Delete", "FilledText", "ForecastReference", "FunctionReference", "Insert",
    "Merge", "ModelCall", "Names", "QualifiedName", "Query", "SelectInto", "TableReference", "Translation", "Update",
    "bind_inside", "fill", "interval_text", "parse", "place_of", "read_query", "statement_inside",
    "translate", "translate_default", "translate_prepared",
]  # fmt: skip
