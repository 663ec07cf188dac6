"""Statements that are planned before their values are known: which parameters they take, which columns they answer."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.result import Column
from restframe.sql import Query, Translation, statement_inside, translate, translate_prepared
from restframe.sql.parameter_rows import NumberedRows, numbered_rows
from restframe.sql.statements import Statement
from restframe.sql.statements.cursor import CloseCursor, Fetch
from restframe.sql.statements.prepare import ExecuteStatement
from restframe.sql.statements.query import Delete, Insert, Merge, Update
from restframe.sql.statements.transaction import Commit, Rollback, RollbackTo
from restframe.types import SqlType
from restframe.warehouse.commands.registry import COMMANDS
from restframe.warehouse.queries import SessionNames, select

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

_TEXT = SqlType("varchar", length=65535)

# Statements that run while a cursor's rows are on their way, and end none of it.
WITHOUT_ENGINE = (Fetch, CloseCursor)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A statement that is ready to run.

    text : as it was given
    statement : None for a text of blanks and comments
    parameter_types : of all its parameters
    columns : of the rows it answers with; None when it answers with none
    command : the first word of its tag
    declared, state, path : what it was planned with, the state of the catalog and the search path then
    rows : of a long INSERT of nothing but parameters; the statement and its translation are of the first row
    """

    text: str
    statement: Statement | None = None
    parameter_types: tuple[SqlType, ...] = ()
    columns: tuple[Column, ...] | None = None
    command: str = ""
    declared: tuple[SqlType | None, ...] = ()
    translation: Translation | None = None
    state: Hashable = None
    path: Hashable = None
    rows: NumberedRows | None = None


@dataclass(frozen=True, slots=True)
class Bound(Statement):
    """A prepared query or change of rows, and the values for its parameters."""

    prepared: Prepared
    values: Sequence[Any]


def prepare(session: Session, text: str, declared: tuple[SqlType | None, ...]) -> Prepared:
    """Plan a text of one statement, or find it planned.

    InFailedTransaction in a transaction that has failed, unless the statement ends it; SyntaxError for a text of
    several statements, and everything that `translate` raises.
    """
    if session.streams:
        # Names are looked up on the connection that the rows come from; some statements look up none.
        statement = _single_statement(session, text)
        if isinstance(statement, WITHOUT_ENGINE):
            _check_not_failed(session, statement)
            return _planned(Prepared(text, declared=declared), statement, session)
        session.settle()
    key = text, (declared, session.catalog.path)
    state = session.catalog.state
    translations = session.services.translations
    known: Prepared | None = translations.find(key, state)
    if known is not None:
        _check_not_failed(session, known.statement)
        return known
    planned = _planned_rows(session, text, declared)
    if planned is not None:
        translations.keep(key, state, planned)
        return planned
    statement = _single_statement(session, text)
    _check_not_failed(session, statement)
    blank = Prepared(text, declared=declared, state=state, path=session.catalog.path)
    if statement is None:
        return blank
    planned = _planned(blank, statement, session)
    if planned.translation is not None:
        translations.keep(key, state, planned)
    return planned


def _planned_rows(session: Session, text: str, declared: tuple[SqlType | None, ...]) -> Prepared | None:
    """A long INSERT of nothing but parameters, planned by its first row; None for other texts, and for types whose
    values have no literals."""
    rows = numbered_rows(text)
    if rows is None:
        return None
    first = prepare(session, rows.first_row, declared[: rows.width])
    wanted = first.parameter_types * (rows.count // rows.width)
    types = tuple(given or type_ or _TEXT for given, type_ in itertools.zip_longest(declared, wanted))
    if any(type_.name not in _WITH_LITERALS for type_ in types):
        return None
    return dataclasses.replace(first, text=text, parameter_types=types, declared=declared, rows=rows)


_WITH_LITERALS = frozenset(
    {
        "int2", "int4", "int8", "float4", "float8", "numeric", "bool", "varchar", "bpchar", "date", "timestamp",
        "timestamptz", "time",
    }
)  # fmt: skip


def current(prepared: Prepared, session: Session) -> Prepared:
    """The same statement as the catalog has it now; NotSupportedError when its rows would have other columns."""
    catalog = session.catalog
    if prepared.translation is None or (prepared.state == catalog.state and prepared.path == catalog.path):
        return prepared
    again = prepare(session, prepared.text, prepared.declared)
    if again.columns != prepared.columns or again.parameter_types != prepared.parameter_types:
        raise errors.NotSupportedError("cached plan must not change result type")
    return again


def fitting(prepared: Prepared, values: Sequence[Any], session: Session) -> Translation:
    """The translation for these values: decimals with digits that no numeric parameter has get one that has them."""
    assert prepared.translation is not None
    if not any(type(value) is Decimal for value in values):
        return prepared.translation
    types = tuple(map(_type_with_digits, values, prepared.parameter_types))
    if types == prepared.parameter_types:
        return prepared.translation
    translation = prepare(session, prepared.text, types).translation
    assert translation is not None
    return translation


def _type_with_digits(value: Any, type_: SqlType) -> SqlType:
    if type_.name != "numeric" or type(value) is not Decimal:
        return type_
    exponent = value.as_tuple().exponent
    scale = max(-exponent, 0) if isinstance(exponent, int) else 0
    whole = max(value.adjusted() + 1, 0)
    if scale <= (type_.scale or 0) and whole <= (type_.precision or 38) - (type_.scale or 0):
        return type_
    return SqlType("numeric", precision=38, scale=min(scale, 37))


def check_columns(prepared: Prepared, session: Session) -> None:
    """That one of our own statements still answers with the columns it was described with: `FETCH` from a name may."""
    assert prepared.statement is not None
    columns = _columns(prepared.statement, session)
    if columns is not None and columns != prepared.columns:
        raise errors.NotSupportedError("cached plan must not change result type")


def _columns(statement: Statement, session: Session) -> tuple[Column, ...] | None:
    """What one of our own statements answers with; None when what it names is not there, as its run will say."""
    if isinstance(statement, ExecuteStatement):
        prepared = session.prepared.get(statement.name)
        return None if prepared is None else prepared.columns
    return COMMANDS[type(statement)].columns(statement, session)


def bound_execution(statement: ExecuteStatement, session: Session) -> Bound:
    """The statement that EXECUTE runs, with its values. UndefinedPreparedStatement."""
    prepared = session.prepared.get(statement.name)
    if prepared is None:
        raise errors.UndefinedPreparedStatement(
            f'prepared statement "{statement.name}" does not exist', position=statement.name_position
        )
    values: tuple[Any, ...] = ()
    if statement.values is not None:
        translation = translate(statement.values, SessionNames(session))
        values = select(translation, session).fetchall()[0]
    wanted = len(prepared.parameter_types)
    if len(values) != wanted:
        raise errors.SyntaxError(
            f'wrong number of parameters for prepared statement "{statement.name}"',
            position=statement.position,
            detail=f"Expected {wanted} parameters but got {len(values)}.",
        )
    return Bound(prepared, values, text=statement.text, position=statement.position)


def _single_statement(session: Session, text: str) -> Statement | None:
    statements = session.parse(text)
    if len(statements) > 1:
        raise errors.SyntaxError("cannot insert multiple commands into a prepared statement")
    return statements[0] if statements else None


def _check_not_failed(session: Session, statement: Statement | None) -> None:
    if session.transaction == "failed" and not isinstance(statement, Commit | Rollback | RollbackTo | None):
        raise errors.InFailedTransaction(
            "current transaction is aborted, commands ignored until end of transaction block"
        )


def _planned(blank: Prepared, statement: Statement, session: Session) -> Prepared:
    if isinstance(statement, Query | Insert | Update | Delete | Merge):
        translation, types = translate_prepared(statement, SessionNames(session), blank.declared)
        columns = None
        if translation.labels is not None:
            described = zip(translation.labels, translation.types, translation.origins, strict=True)
            columns = tuple(Column(name, type_ or _TEXT, origin) for name, type_, origin in described)
        command = "SELECT" if columns is not None else type(statement).__name__.upper()
        return dataclasses.replace(
            blank,
            statement=statement,
            parameter_types=types,
            columns=columns,
            command=command,
            translation=translation,
        )
    inside = statement_inside(statement)
    if inside is not None:
        types = translate_prepared(inside, SessionNames(session), blank.declared)[1]
    else:
        given = [type_ or _TEXT for type_ in blank.declared]
        types = tuple(given + [_TEXT] * (statement.placeholders - len(given)))
    return dataclasses.replace(
        blank,
        statement=statement,
        parameter_types=types,
        columns=_columns(statement, session),
        command=statement.text.split(None, 1)[0].upper(),
    )
