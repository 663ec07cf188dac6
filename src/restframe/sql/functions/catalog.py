"""What PostgreSQL's clients ask about objects by their numbers: names, definitions, comments, sizes, visibility.

https://www.postgresql.org/docs/15/functions-info.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe.sql.functions.registry import Call, function, without_effect
from restframe.sql.nodes import as_type, call, lookup, macro, number, string
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.catalog_types import named
from restframe.sql.rewrite.rules import BOOL, INT4, INT8, NAME, OID, VARCHAR
from restframe.sql.rewrite.visit import Typed
from restframe.types import SqlType


def object_number(made: Call, place: int, kind: str = "regclass") -> exp.Expr:
    """An argument as an object's number; a text is its name, or the number as text."""
    node, type_ = made.arguments[place], made.types[place]
    if type_ is None and node.__class__ is not exp.Null:
        return convert(node, type_, OID, made.scope)
    if type_ is not None and type_.is_text:
        node, type_ = convert(node, type_, SqlType(kind), made.scope), SqlType(kind)
    return convert(node, type_, OID, made.scope)


def _of_object(names: str, least: int, most: int, macro_name: str, result: SqlType, taken: int = 1) -> None:
    """Register functions of an object's number, and `taken - 1` arguments more; the others do not matter."""

    def build(made: Call) -> Typed:
        others = [made.arguments[place] for place in range(1, min(taken, len(made.arguments)))]
        others += [exp.Null()] * (taken - 1 - len(others))
        return without_effect(lookup(macro_name, object_number(made, 0), *others), made.arguments[taken:]), result

    function(names, least, most)(build)


_of_object("pg_table_is_visible", 1, 1, "table_is_visible", BOOL)
_of_object("pg_get_viewdef", 1, 2, "viewdef", VARCHAR)
_of_object("pg_get_ruledef", 1, 2, "viewdef", VARCHAR)
_of_object("pg_get_constraintdef", 1, 2, "constraintdef", VARCHAR)
_of_object("pg_get_indexdef", 1, 3, "indexdef", VARCHAR, taken=2)
_of_object("pg_get_userbyid", 1, 1, "regrole_name", NAME)
_of_object("pg_get_function_result", 1, 1, "function_result", VARCHAR)
_of_object("pg_get_function_arguments pg_get_function_identity_arguments", 1, 1, "function_arguments", VARCHAR)
_of_object("pg_get_functiondef", 1, 1, "function_source", VARCHAR)
_of_object("obj_description", 1, 2, "obj_description", VARCHAR, taken=2)
_of_object("col_description", 2, 2, "col_description", VARCHAR, taken=2)
_of_object("pg_relation_size pg_table_size pg_total_relation_size pg_indexes_size", 1, 2, "relation_size", INT8)
_of_object("pg_function_is_visible", 1, 1, "function_is_visible", BOOL)
_of_object("pg_type_is_visible", 1, 1, "type_is_visible", BOOL)


@function("format_type", 2)
def format_type(made: Call) -> Typed:
    """A type as CREATE TABLE would write it: `character varying(20)`."""
    return lookup("format_type", object_number(made, 0, "regtype"), made.arguments[1]), VARCHAR


@function("pg_get_expr", 2, 3)
def pg_get_expr(made: Call) -> Typed:
    """Expressions are kept as text."""
    return without_effect(made.text(0), made.arguments[1:]), VARCHAR


@function("to_regclass to_regtype to_regnamespace to_regrole to_regproc", 1)
def to_registered(made: Call) -> Typed:
    """NULL for what does not exist, where the cast fails."""
    kind = SqlType(made.name.removeprefix("to_"))
    if kind.name == "regproc":
        return lookup("to_regproc", made.text(0)), kind
    return named(kind.name, lookup(f"find_{kind.name}", made.text(0))), kind


@function("pg_typeof", 1)
def pg_typeof(made: Call) -> Typed:
    type_ = made.types[0]
    shown = "unknown" if type_ is None else str(SqlType(type_.name, element=type_.element))
    return without_effect(string(shown), made.arguments), SqlType("regtype")


@function("pg_size_pretty", 1)
def pg_size_pretty(made: Call) -> Typed:
    return macro("size_pretty", as_type(made.number(0), INT8)), VARCHAR


@function("pg_encoding_to_char", 1)
def pg_encoding_to_char(made: Call) -> Typed:
    return macro("encoding_name", made.arguments[0]), NAME


@function("pg_char_to_encoding", 1)
def pg_char_to_encoding(made: Call) -> Typed:
    return macro("encoding_number", made.text(0)), INT4


@function("pg_database_size pg_tablespace_size", 1)
def pg_database_size(made: Call) -> Typed:
    return without_effect(call("coalesce", macro("database_size"), number(0)), made.arguments), INT8


@function("format_encoding", 1)
def format_encoding(made: Call) -> Typed:
    """The name of a column's compression, by pg_attribute.attencodingtype."""
    return lookup("column_encoding", made.arguments[0]), VARCHAR
