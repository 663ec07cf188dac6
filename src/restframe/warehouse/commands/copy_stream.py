"""COPY FROM STDIN and TO STDOUT: rows between the client and the warehouse."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from restframe import errors, kernels
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.result import Column, Result
from restframe.sql import translate
from restframe.sql.lexer import QualifiedName
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.copy_stream import CopyFromStdin, CopyToStdout
from restframe.sql.statements.copy_stream_options import EVERY_COLUMN, Columns, StreamOptions
from restframe.sql.statements.query import Query, select_columns
from restframe.storage.copying.lines_writer import LinesWriter
from restframe.storage.copying.writer import BinaryWriter, OutputLayout, RowWriter
from restframe.storage.writing.values import Style
from restframe.warehouse.commands import Locks
from restframe.warehouse.commands.copy import insert
from restframe.warehouse.queries import SessionNames, stream

if TYPE_CHECKING:
    from restframe.storage.copying.reader import StreamReader
    from restframe.warehouse.copy_streams import CopyStreams
    from restframe.warehouse.session import Session


def locks(statement: CopyFromStdin, session: Session) -> Locks:
    relation = _table(statement.table, session, "to")
    return ((relation.engine_schema, relation.engine_name),)


def receive(statement: CopyFromStdin, session: Session) -> Result:
    """Insert the client's rows: all of them, or none. Values are stored as they come, those of identities too.

    BadCopyFileFormat, InvalidTextRepresentation and others with the line and the column in `where`;
    NotSupportedError when the client cannot send data.
    """
    if statement.options.format == "binary":
        kernels.wait("copying", session.check_cancelled)
    from restframe.warehouse.copying.intake import Intake  # numba takes its time

    streams = _streams(session, "FROM STDIN")
    relation = _table(statement.table, session, "to")
    columns = _columns(statement.columns, relation)
    intake = Intake(_reader(statement.options, columns, relation.name, session), session)
    pieces = streams.receive(len(columns), statement.options.format == "binary")
    rows = intake.run(pieces, lambda: insert(intake, relation, columns, session))
    _accept(statement.options, session)
    result = Result(command="COPY", row_count=rows)
    result.statistics.rows = rows
    return result


def send(statement: CopyToStdout, session: Session) -> Result:
    """Send a table's or a query's rows to the client, as they are computed.

    WrongObjectType for a view, InsufficientPrivilege, and whatever the query raises; NotSupportedError when the
    client cannot take data.
    """
    streams = _streams(session, "TO STDOUT")
    query = statement.query or _query_of_table(statement, session)
    found = stream(translate(query, SessionNames(session)), session, ())
    columns = tuple(Column(name, type_) for name, type_ in zip(found.names, found.types, strict=True))
    rows = Result(columns, "COPY", 0, _batches=found.batches)
    with contextlib.closing(rows):
        writer = _writer(statement.options, columns, session)
        put = streams.send(len(columns), statement.options.format == "binary")
        batches = (writer.pieces(batch) for batch in rows.batches())
        for pieces in itertools.chain((writer.start(),), batches, (writer.end(),)):
            for piece in pieces:
                session.check_cancelled()
                put(piece.data, piece.ends)
    _accept(statement.options, session)
    return Result(command="COPY", row_count=rows.row_count)


def _query_of_table(statement: CopyToStdout, session: Session) -> Query:
    assert statement.table is not None
    relation = _table(statement.table, session, "from")
    listed = [column.name for column in _columns(statement.columns, relation)]
    return select_columns(statement.table, listed)


def _writer(options: StreamOptions, columns: Sequence[Column], session: Session) -> RowWriter:
    if options.format == "binary":
        return BinaryWriter(columns)
    csv = options.format == "csv"
    layout = OutputLayout(
        options.delimiter,
        options.null,
        bool(options.header),
        options.quote if csv else "",
        options.escape if csv else "",
        _chosen(options.force_quote, [column.name for column in columns], "FORCE_QUOTE"),
        options.encoding,
        Style(session.variables["timezone"], int(session.variables["extra_float_digits"])),
    )
    return LinesWriter(layout, columns)


def _streams(session: Session, direction: str) -> CopyStreams:
    if session.copy_streams is None:
        raise errors.NotSupportedError(
            f"COPY {direction} needs a connection of the PostgreSQL protocol",
            hint="Connect with psql or a PostgreSQL driver, or use COPY FROM 's3://...' and UNLOAD.",
        )
    return session.copy_streams


def _table(name: QualifiedName, session: Session, direction: str) -> Relation:
    relation = session.catalog.relation(name.schema, name.name, name.position)
    if relation.kind not in ("table", "temporary table"):
        raise errors.WrongObjectType(
            f'cannot copy {direction} {relation.kind} "{relation.name}"',
            position=name.position,
            hint="Try the COPY (SELECT ...) TO variant." if direction == "from" else None,
        )
    return relation


def _columns(listed: Sequence[ColumnName], relation: Relation) -> Sequence[ColumnDefinition]:
    if not listed:
        return relation.columns
    columns = []
    for named in listed:
        column = relation.column(named.name)
        if column is None:
            raise errors.UndefinedColumn(
                f'column "{named.name}" of relation "{relation.name}" does not exist', position=named.position
            )
        columns.append(column)
    return columns


def _reader(options: StreamOptions, columns: Sequence[ColumnDefinition], table: str, session: Session) -> StreamReader:
    from restframe.storage.copying.binary import BinaryReader
    from restframe.storage.copying.delimited import DelimitedReader, StreamLayout
    from restframe.storage.loading.fields import Column

    targets = [Column(column.name, column.type, column.not_null) for column in columns]
    names = [column.name for column in columns]
    if options.format == "binary":
        return BinaryReader(targets, table)
    csv = options.format == "csv"
    layout = StreamLayout(
        options.delimiter,
        options.null,
        options.header,
        options.quote if csv else "",
        options.escape if csv else "",
        _chosen(options.force_not_null, names, "FORCE_NOT_NULL"),
        _chosen(options.force_null, names, "FORCE_NULL"),
        options.encoding,
        session.variables["timezone"],
    )
    return DelimitedReader(layout, targets, table)


def _chosen(wanted: Columns, names: Sequence[str], option: str) -> tuple[bool, ...]:
    """For each column whether an option names it."""
    if wanted == EVERY_COLUMN:
        return (True,) * len(names)
    for column in wanted:
        if column.name not in names:
            raise errors.InvalidColumnReference(
                f'{option} column "{column.name}" not referenced by COPY', position=column.position
            )
    chosen = {column.name for column in wanted}
    return tuple(name in chosen for name in names)


def _accept(options: StreamOptions, session: Session) -> None:
    for word in options.accepted:
        session.notice(f"{word} is accepted and has no effect")
