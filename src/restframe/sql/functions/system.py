"""What a session and the server say about themselves.

https://docs.aws.amazon.com/redshift/latest/dg/r_System_information_functions.html

What a session knows stands in variables of the engine, named `restframe_...`, which the session sets.
"""

from __future__ import annotations

from sqlglot import exp

from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_text, as_type, call, string, when
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.rules import BOOL, INT4, INT8, NAME, VARCHAR, array_of
from restframe.sql.rewrite.scope import Scope
from restframe.sql.rewrite.visit import Typed, visits

# What Redshift answers; clients read the versions of both out of it.
VERSION = (
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), "
    "Redshift 1.0.99999"
)


def _variable(name: str) -> exp.Expr:
    return call("getvariable", string(f"restframe_{name}"))


def _text(name: str) -> Typed:
    return as_text(_variable(name)), VARCHAR


@function("version", 0)
def version(made: Call) -> Typed:
    return string(VERSION), VARCHAR


_TEXTS = {
    "current_database": "database", "current_catalog": "database", "current_schema": "schema",
    "current_user": "user", "session_user": "user", "user": "user",
}  # fmt: skip
_NUMBERS = {
    "pg_backend_pid": "pid", "pg_last_copy_count": "last_copy_count", "pg_last_copy_id": "last_copy_id",
    "pg_last_unload_count": "last_unload_count", "pg_last_unload_id": "last_unload_id",
}  # fmt: skip


@function(" ".join(_TEXTS), 0)
def session_text(made: Call) -> Typed:
    return _text(_TEXTS[made.name])


@function(" ".join(_NUMBERS), 0)
def session_number(made: Call) -> Typed:
    type_ = INT4 if made.name == "pg_backend_pid" else INT8
    return as_type(_variable(_NUMBERS[made.name]), type_), type_


@visits(exp.CurrentUser, exp.SessionUser)
def visit_current_user(node: exp.Expr, scope: Scope) -> Typed:
    return _text("user")


@visits(exp.CurrentSchema)
def visit_current_schema(node: exp.Expr, scope: Scope) -> Typed:
    return _text("schema")


@visits(exp.CurrentCatalog)
def visit_current_catalog(node: exp.Expr, scope: Scope) -> Typed:
    return _text("database")


@visits(exp.CurrentUserId)
def visit_current_user_id(node: exp.Expr, scope: Scope) -> Typed:
    return as_type(_variable("user_id"), INT4), INT4


@function("current_schemas", 1)
def current_schemas(made: Call) -> Typed:
    """With true, the schema of the system tables too, which is searched before any other."""
    path = as_type(_variable("search_path"), array_of(VARCHAR))
    with_system = call("list_prepend", string("pg_catalog"), path.copy())
    argument = made.arguments[0]
    if argument.__class__ is exp.Boolean:
        return with_system if argument.args["this"] else path, array_of(NAME)
    return when(convert(argument, made.types[0], BOOL, made.scope), with_system, path), array_of(NAME)
