"""A statement becomes a plan here: every name is looked up, and what will run is decided."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.store import TEMPORARY_SCHEMA
from restframe.engine import Parameters
from restframe.result import Result
from restframe.sql import Query, Translation, bind_inside, place_of, statement_inside, translate
from restframe.sql.statements import Statement
from restframe.sql.statements.prepare import ExecuteStatement
from restframe.sql.statements.query import Delete, Insert, Merge, Update
from restframe.warehouse.checks import check_statement
from restframe.warehouse.commands import Locks
from restframe.warehouse.commands.registry import COMMANDS
from restframe.warehouse.parameter_values import engine_values, read_values
from restframe.warehouse.prepared import Bound, bound_execution, current, fitting
from restframe.warehouse.privileges import check_databases, check_query
from restframe.warehouse.queries import SessionNames, prepare_models, select

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

_WRITES = {Insert: "INSERT", Update: "UPDATE", Delete: "DELETE", Merge: "MERGE"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What will run.

    transaction : whether it needs one of its own when none is open
    locks : tables to lock before
    changes : whether it does what a read-only transaction may not
    """

    run: Callable[[], Result]
    transaction: bool = False
    locks: Locks = ()
    changes: bool = False


@dataclass(frozen=True, slots=True)
class TranslatedQuery(Statement):
    """A query that was translated before."""

    translation: Translation


def remembered(text: str, session: Session) -> TranslatedQuery | None:
    """The text as a query that needs neither parsing nor translation, when the same was asked before."""
    if session.streams:  # the catalog cannot be asked on the connection that rows come from
        return None
    text = text.strip().removesuffix(";").rstrip()
    key = text, session.catalog.path
    translation = session.services.translations.find(key, session.catalog.state)
    return None if translation is None else TranslatedQuery(text=text, translation=translation)


def plan(statement: Statement, session: Session, parameters: Parameters) -> Plan:
    if isinstance(statement, TranslatedQuery):
        return Plan(lambda: select(statement.translation, session, ()))
    if isinstance(statement, Bound):
        return _plan_bound(statement, session)
    if isinstance(statement, ExecuteStatement):
        return _plan_bound(bound_execution(statement, session), session)
    if isinstance(statement, Query):
        return Plan(lambda: select(_translate(statement, session, parameters), session, engine_values(parameters)))
    if type(statement) in _WRITES:
        translation = translate(statement, SessionNames(session), parameters)
        return _plan_write(_WRITES[type(statement)], translation, session, engine_values(parameters))
    values = tuple(parameters.values()) if isinstance(parameters, Mapping) else parameters
    bound, command = statement.bind(values), COMMANDS[type(statement)]
    check_databases(bound, session)
    check_statement(bound, session)
    changes = command.transaction and command.changes
    return Plan(lambda: command.run(bound, session), command.transaction, command.locks(bound, session), changes)


def _translate(query: Query, session: Session, parameters: Parameters) -> Translation:
    state = session.catalog.state
    translation = translate(query, SessionNames(session), parameters)
    if not parameters:
        session.services.translations.keep((query.text, session.catalog.path), state, translation)
    return translation


def _plan_bound(bound: Bound, session: Session) -> Plan:
    prepared = current(bound.prepared, session)
    statement, translation = prepared.statement, prepared.translation
    assert statement is not None
    if translation is None and statement_inside(statement) is None:
        return plan(statement.bind(bound.values), session, ())
    values = read_values(bound.values, prepared.parameter_types, session.connection)
    if translation is None:
        return plan(bind_inside(statement, values, prepared.parameter_types), session, ())
    if prepared.rows is not None:
        insert = prepared.rows.insert(values[: prepared.rows.count], prepared.text)
        if insert is None:
            raise errors.NotSupportedError("a value of a long INSERT has no literal")
        return _plan_write("INSERT", translate(insert, SessionNames(session)), session, ())
    translation = fitting(prepared, values, session)
    del values[translation.parameter_count :]  # declared, and not used
    if prepared.columns is not None:
        return Plan(lambda: select(translation, session, values, prepared.columns))
    return _plan_write(prepared.command, translation, session, values)


def _plan_write(command: str, translation: Translation, session: Session, parameters: Parameters) -> Plan:
    target = translation.writes
    assert target is not None
    check_query(translation, session)
    locks = ((target.engine_schema, target.engine_name),)
    return Plan(
        lambda: _write(command, translation, session, parameters),
        transaction=True,
        locks=locks,
        changes=target.engine_schema != TEMPORARY_SCHEMA,
    )


def _write(command: str, translation: Translation, session: Session, parameters: Parameters) -> Result:
    prepare_models(translation, session)
    with _bulk_rows(translation, session):
        rows = session.connection.run(translation.sql, parameters)
    return Result(command=command, row_count=int(rows[0][0]))


@contextlib.contextmanager
def _bulk_rows(translation: Translation, session: Session) -> Iterator[None]:
    """The rows of a bulk INSERT where its SQL reads them: columns of text, handed over as Arrow."""
    if translation.rows is None:
        yield
        return
    import pyarrow as pa

    columns = {f"c{i}": pa.array(values, pa.string()) for i, values in enumerate(translation.rows.columns)}
    session.connection.register(translation.rows_name, pa.table(columns))
    try:
        yield
    finally:
        session.connection.unregister(translation.rows_name)


def locate(error: errors.ProgrammingError, statement: Statement) -> None:
    """Give an error of the engine's the place of the name it is about."""
    named = re.search(r'"([^"]+)"', error.message)
    if error.position is None and named is not None and len(statement.text) <= _SHORT_TEXT:
        offset = place_of(named[1], statement.text)
        error.position = None if offset is None else statement.position + offset


_SHORT_TEXT = 100_000  # a longer one is data for the most part
