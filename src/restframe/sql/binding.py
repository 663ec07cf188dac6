"""Values written into a statement as literals, where the engine takes no parameters: in EXPLAIN, in CREATE TABLE AS."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_type, call, string
from restframe.sql.statements import Statement
from restframe.sql.statements.create_table import CreateTableAs
from restframe.sql.statements.cursor import DeclareCursor
from restframe.sql.statements.explain import Explain
from restframe.sql.statements.query import Delete, Insert, Merge, Query, RowStatement, SelectInto, Update
from restframe.types import SqlType


def statement_inside(statement: Statement) -> RowStatement | None:
    """The query or change of rows that one of our own statements is about, which may have parameters."""
    match statement:
        case Explain(statement=CreateTableAs(query=query)) | CreateTableAs(query=query):
            return query
        case Explain(statement=Query() | SelectInto() | Insert() | Update() | Delete() | Merge() as explained):
            return explained
        case DeclareCursor(query=query) | SelectInto(query=query):
            return query
    return None


def bind_inside(statement: Any, values: Sequence[Any], types: Sequence[SqlType]) -> Any:
    """The statement with values for the parameters of what is inside."""
    match statement:
        case Explain(statement=explained):
            return dataclasses.replace(statement, statement=bind_inside(explained, values, types))
        case CreateTableAs() | DeclareCursor() | SelectInto():
            return dataclasses.replace(statement, query=bind_inside(statement.query, values, types))
        case Query() | Insert() | Update() | Delete() | Merge():
            literals = [_literal(value, type_) for value, type_ in zip(values, types, strict=True)]
            return dataclasses.replace(statement, tree=statement.tree.with_values(literals))
    raise TypeError(f"{type(statement).__name__} has no query inside")


def _literal(value: Any, type_: SqlType) -> exp.Expr:
    if type_.element is not None or isinstance(value, bytes):
        raise errors.NotSupportedError(f"a parameter of type {type_} is not supported here")
    if value is None:
        return as_type(exp.Null(), type_)
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    text = value.isoformat(" ") if isinstance(value, dt.datetime) else str(value)
    if type_.name == "super":
        return call("json_parse", string(text))
    return as_type(string(text), type_)
