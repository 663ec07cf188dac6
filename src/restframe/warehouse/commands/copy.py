"""COPY: files to rows of a table, whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from restframe import errors
from restframe.catalog import loads
from restframe.catalog.loads import Load
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.engine.quoting import quoted
from restframe.result import Result
from restframe.sql.statements.copy import Columnar, Copy, Csv, Json
from restframe.warehouse.commands import Locks
from restframe.warehouse.loading.sources import SourceFile, find_files
from restframe.warehouse.loading.targets import target_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.warehouse.loading.flow import Flow
    from restframe.warehouse.session import Session

logger = logging.getLogger(__name__)

# The name under which the engine sees the rows while they are loaded.
_ROWS = "restframe_copy_rows"


def locks(statement: Copy, session: Session) -> Locks:
    relation = _relation(statement, session)
    return ((relation.engine_schema, relation.engine_name),)


def run(statement: Copy, session: Session) -> Result:
    """Load the files in the session's transaction; the refused rows of a failed load are recorded apart from it.

    LoadError when as many rows are refused as MAXERROR allows. pg_last_copy_id() and pg_last_copy_count() read the
    engine variables `last_copy_id` and `last_copy_count`.
    https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
    """
    from restframe.warehouse.loading.flow import Flow, TooManyErrors  # numba takes its time
    from restframe.warehouse.loading.readers import reader_for

    relation = _relation(statement, session)
    columns = target_columns(statement, relation)
    files = find_files(statement, session.storage, session.notice)
    reader = reader_for(statement, columns, session.storage)
    flow = Flow(files, reader, statement.compression, statement.max_error, session)
    load_id = loads.next_id(session.connection)
    session.set_engine_variable("last_copy_id", load_id)
    session.set_engine_variable("last_copy_count", 0)
    started = _now()
    try:
        loaded = _check(flow) if statement.no_load else insert(flow, relation, columns, session)
    except BaseException:
        record = _load(load_id, statement, relation, session, started, files, flow, "aborted", 0)
        _record_failure(record, flow, session)
        if isinstance(flow.failure, TooManyErrors):
            raise _failed(relation, flow) from None  # the engine's words about it help nobody
        raise
    finally:
        flow.close()
    loads.record(
        session.connection,
        _load(load_id, statement, relation, session, started, files, flow, "completed", loaded),
        flow.faults,
    )
    session.set_engine_variable("last_copy_count", loaded)
    _say(statement, relation, flow, loaded, session)
    result = Result(command="COPY")
    result.statistics.rows = loaded
    return result


def _relation(statement: Copy, session: Session) -> Relation:
    name = statement.table
    relation = session.catalog.relation(name.schema, name.name, name.position)
    if relation.kind not in ("table", "temporary table"):
        raise errors.WrongObjectType(f'cannot copy to {relation.kind} "{relation.name}"', position=name.position)
    return relation


# Loading


class Rows(Protocol):
    """Rows on their way into the engine. failure : what ended `batches`, for the engine only passes on its text"""

    schema: pa.Schema
    failure: Exception | None

    def batches(self) -> Iterator[pa.RecordBatch]: ...


def insert(rows: Rows, relation: Relation, columns: Sequence[ColumnDefinition], session: Session) -> int:
    """How many rows have been inserted."""
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_batches(rows.schema, rows.batches())
    target = quoted(relation.engine_schema, relation.engine_name)
    names = ", ".join(quoted(column.name) for column in columns)
    values = ", ".join(_value(column) for column in columns)
    session.connection.register(_ROWS, reader)
    try:
        counted = session.connection.run(f"INSERT INTO {target} ({names}) SELECT {values} FROM {quoted(_ROWS)}")
        session.connection.unregister(_ROWS)
        return int(counted[0][0])
    except errors.Error as error:
        # The engine knows our own error by its text only.
        if rows.failure is not None:
            raise rows.failure from error
        raise


def _value(column: ColumnDefinition) -> str:
    """Arrow has no type of its own for the first two, and texts of the third are the engine's to read."""
    name = quoted(column.name)
    if column.type.name == "timetz":
        return f"_restframe.timetz({name})"
    as_text = column.type.name in ("super", "interval")
    return f"CAST({name} AS {column.type.engine_type})" if as_text else name


def _check(flow: Flow) -> int:
    """NOLOAD: read everything, load nothing."""
    for _ in flow.batches():
        pass
    return 0


# What is told


def _failed(relation: Relation, flow: Flow) -> errors.LoadError:
    name, fault = flow.faults[0]
    place = f'column "{fault.column}": ' if fault.column else ""
    value = f', value "{fault.raw_value[:100]}"' if fault.raw_value else ""
    return errors.LoadError(
        f"Load into table '{relation.name}' failed.  Check 'stl_load_errors' system table for details.",
        detail=f"{name[:300]} line {fault.line}: {place}{fault.reason}{value}",
        hint="Correct the data, or allow a number of errors with MAXERROR.",
    )


def _say(statement: Copy, relation: Relation, flow: Flow, loaded: int, session: Session) -> None:
    table = f"Load into table '{relation.name}' completed,"
    if flow.errors:
        session.notice(
            f"{table} {flow.errors} record(s) could not be loaded.  Check 'stl_load_errors' system table for details.",
            "WARNING",
        )
    if flow.errors > len(flow.faults):
        session.notice(f"only the first {len(flow.faults)} of them are in stl_load_errors", "WARNING")
    session.notice(f"{table} {loaded} record(s) loaded successfully.")
    if statement.no_load:
        session.notice(f"NOLOAD: {flow.rows} record(s) checked")
    for word in statement.accepted:
        session.notice(f"{word} is accepted and has no effect")


# What is recorded


def _load(
    load_id: int,
    statement: Copy,
    relation: Relation,
    session: Session,
    started: datetime,
    files: Sequence[SourceFile],
    flow: Flow,
    status: Literal["completed", "aborted"],
    loaded: int,
) -> Load:
    return Load(
        id=load_id,
        user=session.user,
        database=session.settings.database,
        table=relation.name,
        source=statement.source,
        file_format=_format(statement),
        status=status,
        started=started,
        finished=_now(),
        rows=loaded,
        errors=flow.errors,
        source_files=len(files),
        source_bytes=sum(file.size_bytes for file in files),
        files=tuple(flow.files) if status == "completed" else (),
    )


def _format(statement: Copy) -> str:
    """As sys_load_history calls it."""
    form = statement.format
    if isinstance(form, Columnar):
        return form.kind
    return "json" if isinstance(form, Json) else "csv" if isinstance(form, Csv) else "txt"


def _record_failure(load: Load, flow: Flow, session: Session) -> None:
    """In a transaction of its own, because the session's is about to be undone."""
    try:
        with session.separate_transaction() as connection:
            loads.record(connection, load, flow.faults)
    except errors.Error as error:  # such as a full disk: the load's own error matters more
        logger.warning("load %d could not be recorded: %s", load.id, error)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
