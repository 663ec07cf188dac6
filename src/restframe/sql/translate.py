"""A statement in Redshift's SQL as one in the engine's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, UnsupportedError

import restframe.sql.functions
import restframe.sql.rewrite.expressions
import restframe.sql.rewrite.patterns  # noqa: F401
from restframe import errors
from restframe.sql.names import Names, TableReference
from restframe.sql.rewrite.changes import ROWS, visit_delete, visit_insert, visit_merge, visit_update
from restframe.sql.rewrite.parameters import NUMERIC, parameter_type
from restframe.sql.rewrite.rules import (
    BOOL,
    DATE,
    FLOAT8,
    INT4,
    INT8,
    INTERVAL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    VARCHAR,
    numeric,
)
from restframe.sql.rewrite.scope import Change, Context, ModelCall, Scope, Type
from restframe.sql.rewrite.visit import visit_query
from restframe.sql.size import has_few_rows
from restframe.sql.statements import Statement
from restframe.sql.statements.query import Delete, Insert, Merge, Query, Update
from restframe.sql.values import RowsOfLiterals
from restframe.types import SqlType

Parameters = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Translation:
    """What the engine is to run.

    sql : its parameters are `$1` or `$name`
    labels : the names of a query's columns
    types : their Redshift types, None for a column of NULLs or parameters alone
    origins : for those that are columns of a relation, its number and the place in it
    reads : the tables and views that are read
    writes : the table that is changed
    changes : what is done to its rows
    uses : the tables whose columns are read, the changed one too, each with these columns
    calls : the calls of model functions, wherever they stand
    few : whether a query has few rows, whatever the data
    settings : configuration parameters to set before, their values, or the numbers of parameters that hold them, and
        whether for the transaction alone
    parameter_count : the highest number of a parameter; there may be values for more
    rows : of a bulk INSERT, its values; `sql` reads them as a table named `rows_name` with text columns c0, c1 ...
    """

    sql: str
    labels: tuple[str, ...] | None = None
    types: tuple[SqlType | None, ...] = ()
    origins: tuple[tuple[int, int] | None, ...] = ()
    reads: tuple[TableReference, ...] = ()
    writes: TableReference | None = None
    changes: tuple[Change, ...] = ()
    uses: tuple[tuple[TableReference, frozenset[str]], ...] = ()
    calls: tuple[ModelCall, ...] = ()
    rows: RowsOfLiterals | None = None
    rows_name: str = ROWS
    settings: tuple[tuple[str | int, str | int, bool], ...] = ()
    parameter_count: int = 0
    few: bool = False


def translate(
    statement: Statement, names: Names, parameters: Parameters = (), *, expand_stars: bool = False
) -> Translation:
    """Translate a query or a change of rows.

    parameters : the values that will be passed, for their types only
    expand_stars : write `*` out as columns, for a view that shall not change with its tables

    Raises what `names` raises, UndefinedColumn, UndefinedFunction, NotSupportedError and others of 42xxx, with the
    place where there is one.
    """
    types = _types(parameters)
    return _checked(statement, Context(names, statement.text, statement.position, types, expand_stars=expand_stars))


def translate_prepared(
    statement: Statement, names: Names, declared: Sequence[SqlType | None]
) -> tuple[Translation, tuple[SqlType, ...]]:
    """Translate a query or a change of rows before the values of its parameters are known; the types of all of them.

    declared : types of the first parameters, None for one whose type what stands beside it shall decide

    Whatever values are passed, of these types, the columns of a query have the types it is translated with. Raises
    what `translate` raises.
    """
    given = [None if type_ is None else parameter_type(type_) for type_ in declared]
    if NUMERIC in given:
        given = _with_digits(statement, names, given)
    translation, count, found = _translate_with(statement, names, given)
    if count <= len(given) and None not in given:
        return translation, tuple(type_ for type_ in given if type_ is not None)
    known = given + [None] * (count - len(given))
    types = [type_ or found.get(place, VARCHAR) for place, type_ in enumerate(known)]
    return _translate_with(statement, names, types)[0], tuple(types)


def _with_digits(statement: Statement, names: Names, given: list[SqlType | None]) -> list[SqlType | None]:
    """The types. A numeric, which is declared without its digits, has those of a wider one that it stands beside."""
    try:
        found = _translate_with(statement, names, [None if type_ == NUMERIC else type_ for type_ in given])[2]
    except errors.Error:
        return given
    wider = {place: type_ for place, type_ in found.items() if type_.name == "numeric"}
    return [wider.get(place, type_) if type_ == NUMERIC else type_ for place, type_ in enumerate(given)]


def _translate_with(
    statement: Statement, names: Names, types: Sequence[SqlType | None]
) -> tuple[Translation, int, dict[int, SqlType]]:
    """The translation with parameters of these types, their number, and the types that others should have."""
    found: dict[int, SqlType] = {}
    context = Context(names, statement.text, statement.position, dict(enumerate(types)), found=found)
    return _checked(statement, context), context.parameter_count, found


def _checked(statement: Statement, context: Context) -> Translation:
    try:
        return _translate(statement, context)
    except RecursionError as error:
        raise errors.StatementTooComplex("statement is nested too deeply", position=context.base) from error
    except errors.SyntaxError as error:
        error.position = error.position or context.base
        raise


def _translate(statement: Statement, context: Context) -> Translation:
    scope = Scope(context)
    scope.certain = isinstance(statement, Query | Insert)  # the others change the rows that a clause selects
    labels: tuple[str, ...] | None = None
    types: tuple[Type, ...] = ()
    origins: tuple[tuple[int, int] | None, ...] = ()
    writes = rows = None
    match statement:
        case Query():
            tree = statement.tree.take()
            tree.args.pop("into", None)
            tree, outputs = visit_query(tree, scope)
            labels = tuple(output.label for output in outputs)
            types = tuple(output.type for output in outputs)
            origins = tuple(output.origin for output in outputs)
            if any(type_ is not None and type_.name == "record" for type_ in types):
                raise errors.NotSupportedError("a row as a column of a result is not supported")
        case Insert():
            tree, writes, rows = _translate_insert(statement, scope)
        case Update():
            tree = statement.tree.take()
            writes = visit_update(tree, scope)
        case Delete():
            tree = statement.tree.take()
            writes = visit_delete(tree, scope)
        case Merge():
            tree = statement.tree.take()
            writes = visit_merge(tree, scope)
        case _:
            raise TypeError(f"{type(statement).__name__} is not a statement about rows")
    return Translation(
        sql=render(tree),
        labels=labels,
        types=types,
        origins=origins,
        reads=tuple(context.reads.values()),
        writes=writes,
        changes=tuple(context.changes),
        uses=_uses(context),
        calls=tuple(context.calls),
        rows=rows,
        settings=tuple(context.settings),
        parameter_count=context.parameter_count,
        few=labels is not None and has_few_rows(tree, types),
    )


def _uses(context: Context) -> tuple[tuple[TableReference, frozenset[str]], ...]:
    return tuple(
        (columns.table, frozenset(columns.used))
        for key, columns in context.used.items()
        if columns.used or key in context.reads
    )


def _translate_insert(statement: Insert, scope: Scope) -> tuple[exp.Expr, TableReference, RowsOfLiterals | None]:
    tree = statement.tree.take()
    rows = statement.rows
    if rows is None:
        return tree, visit_insert(tree, scope), None
    table = visit_insert(tree, scope, rows.unquoted)
    return tree, table, rows


def render(tree: exp.Expr) -> str:
    """The text of a translated tree; all names are quoted, so that none can be taken for a word of the engine's."""
    generator = _ENGINE.generator(
        identify=True, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE
    )
    try:
        return str(generator.generate(tree, copy=False))
    except UnsupportedError as error:
        raise errors.NotSupportedError(str(error).partition("\n")[0]) from error


_ENGINE = DuckDB()


# Parameters


def _types(parameters: Parameters) -> dict[str | int, Type]:
    if isinstance(parameters, Mapping):
        return {name: type_of_value(value) for name, value in parameters.items()}
    return {place: type_of_value(value) for place, value in enumerate(parameters)}


def type_of_value(value: object) -> Type:
    """The Redshift type of a parameter's value; None for text, which takes the type of what stands beside it.

    NotSupportedError for a value that is none of Redshift's, NumericValueOutOfRange for a number of too many digits.
    """
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()  # NumPy's numbers are not Python's
    match value:
        case bool():
            return BOOL
        case int():
            if -(2**63) <= value < 2**63:
                return INT4 if -(2**31) <= value < 2**31 else INT8
            if abs(value) >= 10**38:
                raise errors.NumericValueOutOfRange("a parameter has more than 38 digits")
            return numeric(38, 0)
        case float():
            return FLOAT8
        case Decimal():
            exponent = value.as_tuple().exponent
            scale = -exponent if isinstance(exponent, int) and exponent < 0 else 0
            return numeric(38, min(scale, 37))
        case dt.datetime():
            return TIMESTAMP if value.tzinfo is None else TIMESTAMPTZ
        case dt.date():
            return DATE
        case dt.time():
            return TIME if value.tzinfo is None else TIMETZ
        case dt.timedelta():
            return INTERVAL
        case None | str() | bytes() | bytearray() | memoryview():
            return None
        case _:
            raise errors.NotSupportedError(f"parameters of the type {type(value).__name__} are not supported")
